import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import { EVERYTHING } from "./node-22.ts";
import type { PackedProject, PublishedPackage } from "./packed-project.ts";

/** Their folders in tools/examples. Each prints what the block of text in its README shows. */
const WITH_OUTPUT = ["clicks", "orders", "sensors", "enrich"] as const;
const npmRun = (script: string): readonly [string, readonly string[]] => ["npm", ["run", "--silent", script]];

/** Tests of the examples, in folders of a project that has the packages. */
export function describeExamples(
  projectOf: () => PackedProject,
  packages: readonly PublishedPackage[],
): void {
  describe("the examples", () => {
    beforeAll(async () => {
      await projectOf().copy("tools/examples", "examples");
      await projectOf().link("tsx");
    });

    it("compile, in one program", async () => {
      await projectOf().write(
        "examples/tsconfig.json",
        JSON.stringify({
          extends: "./clicks/tsconfig.json",
          compilerOptions: { types: ["node"] },
          exclude: ["testing/vitest.test.ts", "testing/jest.test.ts"],
        }),
      );
      await projectOf().compile("examples/tsconfig.json");
    });

    it.each(WITH_OUTPUT)("%s prints what its README shows", async (name) => {
      expect(await projectOf().runScript("start", { subfolder: `examples/${name}` })).toBe(
        await outputInReadme(projectOf(), `examples/${name}`),
      );
    });

    it("clicks prints the same rows without its flow, started by npm", async () => {
      expect(await projectOf().run(...npmRun("count"), { subfolder: "examples/clicks" })).toBe(
        await outputInReadme(projectOf(), "examples/clicks"),
      );
    });

    it("print the same rows over Redis", async () => {
      await using redis = await startRedis();
      const sorted = (output: string | undefined): readonly string[] => (output ?? "").split("\n").sort();
      const env = { REDIS_URL: redis.url };
      await Promise.all(
        WITH_OUTPUT.map(async (name) => {
          const output = await projectOf().runScript("redis", { subfolder: `examples/${name}`, env });
          expect(sorted(output)).toEqual(sorted(await outputInReadme(projectOf(), `examples/${name}`)));
        }),
      );
    });

    it("tracing prints what its README shows", async () => {
      expect(await projectOf().runScript("start", { subfolder: "examples/tracing" })).toBe(
        await outputInReadme(projectOf(), "examples/tracing"),
      );
    });

    it("testing passes with node:test", async () => {
      await projectOf().runScript("test", { subfolder: "examples/testing" });
    });

    (EVERYTHING ? it : it.skip)(
      "testing passes with vitest and jest, installed as its package.json says (needs CI=true or MILLRACE_TEST_ALL=1)",
      async () => {
        const subfolder = "../testing";
        await projectOf().copy("tools/examples/testing", subfolder);
        await projectOf().installBeside(subfolder, packages);
        for (const script of ["test", "test:vitest", "test:jest"]) {
          await projectOf().run(...npmRun(script), { subfolder });
        }
        await projectOf().leaveUnchecked("others", subfolder);
        await projectOf().compile(join(subfolder, "tsconfig.json"), "typescript");
      },
      180_000,
    );
  });
}

/** The block of text in a README, which is what the program prints. */
export async function outputInReadme(project: PackedProject, folder: string): Promise<string | undefined> {
  const readme = await project.read(join(folder, "README.md"));
  return /^```text\n(.*?)^```$/ms.exec(readme)?.[1];
}
