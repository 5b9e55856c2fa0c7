import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { startProgram } from "@millrace/local-redis/programs";

const AGGREGATOR = join(import.meta.dirname, "../dist/main.js");
const PUBLISHER = join(import.meta.dirname, "../../publisher/dist/main.js");

/** The files of modules that a program loads: V8's coverage names them. */
async function modulesOf(program: string, ...args: readonly string[]): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-modules-"));
  try {
    const { code } = await startProgram(program, { args, env: { NODE_V8_COVERAGE: folder } }).ended;
    expect(code).toBe(0);
    const [report = ""] = await readdir(folder);
    const { result } = JSON.parse(await readFile(join(folder, report), "utf8")) as {
      readonly result: readonly { readonly url: string }[];
    };
    return result.map(({ url }) => url).filter((url) => url.startsWith("file:"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Whether a module is a command of `libs/command`, which it imports late, or the engine. */
function runs(url: string): boolean {
  return /\/command\/dist\/(run|inspect|reset|graph|publish)-\w{8}\.js|\/(dataflow|windowing)\/dist\/index\.js/.test(
    url,
  );
}

describe("a program loads only what it runs", () => {
  test.each([
    ["aggregator", AGGREGATOR],
    ["publisher", PUBLISHER],
  ])("%s --help: the options, and nothing that runs", async (_name, program) => {
    const modules = await modulesOf(program, "--help");
    expect(
      modules.filter((url) => /ioredis|zod|redis-store|\/flows\/.*counts/.test(url) || runs(url)),
    ).toEqual([]);
    expect(modules.length).toBeGreaterThan(20);
    expect(modules.length).toBeLessThan(100);
  });

  test("a run over a file loads nothing of Redis but its options", async () => {
    const modules = await modulesOf(AGGREGATOR, "--file=/dev/null");
    expect(modules.filter((url) => /ioredis|redis-store|redis-source\/dist\/index\.js/.test(url))).toEqual(
      [],
    );
    expect(modules.filter(runs).map((url) => url.replace(/.*\/libs\//, ""))).toEqual([
      expect.stringMatching(/^command\/dist\/run-\w{8}\.js$/),
      "dataflow/dist/index.js",
      "windowing/dist/index.js",
    ]);
    expect(modules.filter((url) => url.includes("mobile-counts"))).toHaveLength(1);
  });
});
