import { beforeAll, describe, expect, it } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import { outputInReadme } from "./examples.ts";
import type { PackedProject } from "./packed-project.ts";

/** Beside the project, so that only what its own package.json names is found. */
const subfolder = "../my-flow";

/** Tests of what `npm create millrace` writes. */
export function describeNewProject(projectOf: () => PackedProject): void {
  const npm = (...args: readonly string[]): Promise<string> =>
    projectOf().run("npm", ["--silent", ...args], { subfolder });

  describe("a project made by create-millrace", () => {
    beforeAll(async () => {
      await projectOf().run("npx", ["create-millrace", subfolder]);
      await projectOf().installBeside(subfolder);
    }, 120_000);

    it("prints what its README shows", async () => {
      expect(await npm("start")).toBe(await outputInReadme(projectOf(), subfolder));
    });

    it("passes its test", async () => {
      expect(await npm("test")).toContain("# pass 2\n");
    });

    it("compiles", async () => {
      await npm("run", "typecheck");
    });

    it("prints the same rows over Redis", async () => {
      await using redis = await startRedis();
      const settings = { subfolder, env: { REDIS_URL: redis.url } };
      await projectOf().run("npm", ["run", "redis:publish"], settings);
      const args = ["--exit-when-idle=1s", "--close-windows"];
      expect(await projectOf().run("npm", ["--silent", "run", "redis:run", "--", ...args], settings)).toBe(
        await outputInReadme(projectOf(), subfolder),
      );
    });
  });
}
