import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import type { Problem } from "@arethetypeswrong/core";
import { createInterface } from "node:readline";
import { freePort } from "@millrace/local-redis";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { publint } from "publint";
import { describeExamples } from "./examples.ts";
import { describeNewProject } from "./new-project.ts";
import { EVERYTHING, NODE_22, installedNode22 } from "./node-22.ts";
import { PackedProject, publishedPackages } from "./packed-project.ts";

const packages = await publishedPackages();
const [node, MB] = [process.execPath, 1_000_000];
const entries = packages.flatMap((each) => each.entries);
const ROWS = "0 tea 4\n0 jam 6\n60000 tea 5\n";

let project: PackedProject;
beforeAll(async () => {
  project = await PackedProject.create(packages, join(import.meta.dirname, "project"));
  // An optional peer, which entries import, and the SDK of an example.
  await project.linkAll("@opentelemetry");
}, 180_000);
afterAll(() => project.remove());

describe("a project with the packages from their tarballs", () => {
  it("runs the example in the README of millrace in plain JavaScript, which prints what the README says", async () => {
    const millrace = packages.find(({ name }) => name === "millrace");
    const readme = await readFile(join(millrace?.folder ?? "", "README.md"), "utf8");
    const [example = "", output] = [...readme.matchAll(/^```(?:ts)?\n(.*?)^```/gms)].map(([, code]) => code);
    await project.write("readme.mjs", example);
    expect(await project.run(node, ["readme.mjs"])).toBe(output);
    expect(output).toBe(ROWS);
  });

  it("runs a flow that gets millrace by require", async () => {
    expect(await project.run(node, ["flow.cjs"])).toBe(ROWS);
  });

  it("can require every entry of every package, since none has a top-level await", async () => {
    await project.write("entries.cjs", entries.map((entry) => `require("${entry}");`).join("\n"));
    await project.run(node, ["entries.cjs"]);
  });

  it("has classes of errors that have the names of their exports", async () => {
    const imports = entries.map((entry) => `import("${entry}")`).join(", ");
    await project.write(
      "names.mjs",
      `for (const each of await Promise.all([${imports}]))
        for (const [name, value] of Object.entries(each))
          if (value?.prototype instanceof Error) console.log(name, value.name);`,
    );
    const names = (await project.run(node, ["names.mjs"])).trim().split("\n");
    expect(names).toContain("FlowError FlowError");
    expect(names.filter((line) => new Set(line.split(" ")).size > 1)).toEqual([]);
  });

  it("compiles a strict flow with NodeNext, declarations too, and runs it", async () => {
    await project.write(
      "entries.ts",
      entries.map((entry, i) => `export * as e${i} from "${entry}";`).join("\n"),
    );
    // Its declarations import no other package, and take two thirds of the time of a compilation that checks them.
    await project.leaveUnchecked("typebox");
    await project.compile("tsconfig.nodenext.json");
    // Once is enough for what is not ours.
    await project.leaveUnchecked("others");
    expect(await project.run(node, ["out/flow.js"])).toBe(ROWS);
  });

  it("compiles the same with Bundler", async () => {
    await project.compile("tsconfig.bundler.json");
  });

  it("compiles the same with TypeScript 6", async () => {
    await project.compile("tsconfig.nodenext.json", "typescript");
  });

  it("has the command millrace, which shows its help, runs a flow and counts a file", async () => {
    expect(await project.run("npx", ["millrace", "--help"])).toContain("Usage: millrace <command>");
    const installed = join(project.folder, "node_modules/.bin/millrace");
    const input = ["--file=orders.jsonl", "--clock=event:at", "--window=tumbling:1m"];
    expect(await project.run(installed, ["run", "flow.mjs", "--min-price=5", ...input])).toBe(
      '{"key":"jam","value":6}\n{"key":"tea","value":5}\n',
    );
    expect(await project.run(installed, ["count", "--by=item", "--sum=price", ...input])).toBe(
      '{"item":"tea","sum_price":4}\n{"item":"jam","sum_price":6}\n{"item":"tea","sum_price":5}\n',
    );
  });

  const args = [
    "run",
    "module.ts",
    "--loud",
    "--file=orders.jsonl",
    "--clock=event:at",
    "--window=tumbling:1m",
  ];
  const command = "node_modules/millrace/dist/bin.js";
  const ROWS_OF_MODULE =
    '{"item":"TEA","revenue":4}\n{"item":"JAM","revenue":6}\n{"item":"TEA","revenue":5}\n';

  (existsSync(NODE_22) || EVERYTHING ? it : it.skip)(
    "runs a flow in TypeScript on Node 22, from npm (installed with CI=true or MILLRACE_TEST_ALL=1)",
    async () => {
      expect(await project.run(await installedNode22(), [command, ...args])).toBe(ROWS_OF_MODULE);
    },
    180_000,
  );

  it("runs a flow in TypeScript through the project's tsx, and without one says what to do", async () => {
    // Which the types of the oldest Node do not have.
    const runsTypeScript = Boolean(Reflect.get(process.features, "typescript"));
    if (!runsTypeScript) {
      await expect(project.run(node, [command, ...args])).rejects.toThrow("npm install --save-dev tsx");
    }
    await project.link("tsx");
    expect(await project.run(node, [command, ...args])).toBe(ROWS_OF_MODULE);
  });

  it("runs a flow in TypeScript through tsx in a package of CommonJS, as npm init makes it", async () => {
    await project.link("tsx");
    const folder = join(project.folder, "commonjs");
    await mkdir(folder);
    await writeFile(join(folder, "package.json"), '{ "type": "commonjs" }');
    await copyFile(join(project.folder, "module.ts"), join(folder, "module.ts"));
    expect(await project.run(node, [command, "run", "commonjs/module.ts", ...args.slice(2)])).toBe(
      ROWS_OF_MODULE,
    );
  });

  it("serves the page, the API and the metrics of a run with --http", async () => {
    const port = await freePort();
    const count = [command, "count", "--by=item", "--file=-", `--http=${port}`];
    const counting = spawn(node, count, { cwd: project.folder, stdio: ["pipe", "ignore", "pipe"] });
    const ended = once(counting, "close");
    try {
      const log = createInterface(counting.stderr);
      await new Promise<void>((listening) => {
        log.on("line", (line) => {
          if (line.includes("the page is at")) listening();
        });
      });
      const get = async (path: string): Promise<string> =>
        (await fetch(new URL(path, `http://127.0.0.1:${port}/`))).text();
      const page = await get("/");
      expect(page).toContain("<title>Millrace</title>");
      const script = await get(/src="(.*?)"/.exec(page)?.[1] ?? "no script");
      expect(script.length).toBeGreaterThan(50_000);
      expect(JSON.parse(await get("/api/flow"))).toMatchObject({ flow: "count" });
      expect(await get("/metrics")).toContain('millrace_events_total{flow="count",');
    } finally {
      counting.stdin.end();
    }
    expect(await ended).toEqual([0, null]);
  });

  it("says what to install for --http where the page is not", async () => {
    const page = join(project.folder, "node_modules/@millrace/dashboard");
    await rename(page, `${page}-away`);
    const counting = project.run(node, [command, "count", "--file=orders.jsonl", "--http=0"]);
    await expect(counting).rejects.toThrow("npm install @millrace/dashboard");
    await rename(`${page}-away`, page);
  });

  it("says what to install for Kafka where its packages are not", async () => {
    const topic = ["--transport=kafka", "--brokers=localhost:1", "--channel=orders", "--partition-by=item"];
    const counting = [command, "count", "--by=item", ...topic];
    await expect(project.run(node, counting)).rejects.toThrow("npm install @kafkats/client@0.12");
    const kafka = join(project.folder, "node_modules/@millrace/kafka-source");
    await rename(kafka, `${kafka}-away`);
    const both = "npm install @millrace/kafka-source @kafkats/client@0.12";
    await expect(project.run(node, counting)).rejects.toThrow(both);
    await rename(`${kafka}-away`, kafka);
  });

  it("takes less than 15 MB for millrace", async () => {
    expect(await project.sizeOf("millrace")).toBeLessThan(15 * MB);
  });
});

describeExamples(() => project, packages);
describeNewProject(() => project);

describe.each(packages)("the tarball of $name", ({ name, tarball }) => {
  it("passes publint", async () => {
    const bytes = Uint8Array.from(await readFile(join(project.tarballs, tarball)));
    expect((await publint({ pack: { tarball: bytes.buffer }, strict: true })).messages).toEqual([]);
  });

  it("has types that resolve wherever ES modules do", async () => {
    const bytes = Uint8Array.from(await readFile(join(project.tarballs, tarball)));
    const analysis = await checkPackage(createPackageFromTarballData(bytes));
    expect(analysis.types && analysis.problems.filter(concernsModules)).toEqual([]);
  });

  it("has a licence, a README and its sources", async () => {
    const files = await project.filesOf(name);
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "src/index.ts"]));
  });
});

/** Whether a problem concerns a way of resolving packages that finds ES modules. */
function concernsModules(problem: Problem): boolean {
  return !("resolutionKind" in problem) || !["node10", "node16-cjs"].includes(problem.resolutionKind);
}
