import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import { clickLine } from "./support/clicks.ts";
import { aggregatorCommand, publisher } from "./support/programs.ts";

const MODULES = join(import.meta.dirname, "modules");
const EXAMPLE = join(import.meta.dirname, "../examples/systems.ts");

describe("a flow module", () => {
  test("receives the parts that the options define, such as the one in the guide", async () => {
    await using redis = await startRedis();
    const counting = aggregatorCommand(
      ["--flow=../examples/systems.ts", "--window=tumbling:10000d", "--exit-when-idle=300ms", "--meta"],
      { REDIS_URL: redis.url },
    );
    const laptop = { device_is_mobile: false, os_name: "Linux" };
    const input = [clickLine(), clickLine(laptop), clickLine(laptop)].join("\n");
    expect((await publisher(redis.url, "-", [], input).ended).code).toBe(0);
    const { code, output } = await counting.ended;
    expect(code).toBe(0);
    expect(output.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ system: "Linux", events: 2, revision: 0, cause: "end" }),
    ]);
  });

  test("may have all parts of its own", async () => {
    const { code, output } = await aggregatorCommand(["--flow=./modules/finished.ts"], {
      REDIS_URL: "redis://127.0.0.1:1",
    }).ended;
    expect({ code, output }).toEqual({ code: 0, output: ["1", "4", "9"] });
  });

  test("may use a second copy of the library", async () => {
    const { code, output } = await aggregatorCommand(["--flow=./modules/foreign.mjs"], {
      REDIS_URL: "redis://127.0.0.1:1",
    }).ended;
    expect({ code, output }).toEqual({ code: 0, output: ["1", "2"] });
  });

  test("may build its flow later", async () => {
    const { code, output } = await aggregatorCommand(["graph", "--flow=./modules/async.ts"]).ended;
    expect(code).toBe(0);
    expect(output.join("\n")).toContain("lines<br/>");
  });

  test("fails with the place where its step threw, and a report of its events", async () => {
    const { code, log } = await aggregatorCommand(["--flow=./modules/broken-step.ts"], {
      REDIS_URL: "redis://127.0.0.1:1",
    }).ended;
    expect(code).toBe(1);
    expect(log.at(-1)).toMatchObject({ level: "error", code: "MILLRACE_STEP_FAILED" });
    expect(log.at(-1)?.msg).toMatch(
      /step "parse".*\(event: "?n is 2"?\); thrown at .*broken-step\.ts:11:\d+$/,
    );
    expect(log.at(-2)).toMatchObject({ event: "report", received: 2, passedOn: 2, failed: true });
  });

  test("without windows makes options of windows a warning", async () => {
    const args = ["--flow=./modules/finished.ts", "--window=session:5s", "--early=1s", "--meta"];
    const { code, log } = await aggregatorCommand(args, { REDIS_URL: "redis://127.0.0.1:1" }).ended;
    expect(code).toBe(0);
    const unused = log.filter(({ event }) => event === "option-unused");
    expect(unused.map(({ option }) => option)).toEqual(["--window", "--early", "--meta"]);
    expect(unused[0]?.msg).toMatch(/^--window has no effect: the flow .*finished\.ts does not use it/);
  });

  test.each([
    ["nothing.ts", /nothing\.ts exports no flow\. Export it as default, or under the name flow/],
    ["number.ts", /number\.ts exports no flow: its export is something else\. Export a Dataflow/],
    ["forgetful.ts", /forgetful\.ts exports no flow: its function returns something else/],
    [
      "with-options.mjs",
      /with-options\.mjs declares options of its own, .*npx millrace run .*with-options\.mjs$/,
    ],
    ["throwing.ts", /throwing\.ts cannot be loaded: not today/],
    [
      "broken-factory.ts",
      /broken-factory\.ts: its function threw: boom in the factory; thrown at .*broken-factory\.ts:2:9/,
    ],
    [
      "lonely.mjs",
      /lonely\.mjs cannot be loaded: .*@missing\/package.* are resolved from the module's own folder/,
    ],
  ])("like %s is refused with its reason", async (file, reason) => {
    const { code, log } = await aggregatorCommand(["graph", `--flow=${join(MODULES, file)}`]).ended;
    expect(code).toBe(1);
    expect(log.at(-1)).toMatchObject({ level: "error", code: "MILLRACE_FLOW_MODULE" });
    expect(log.at(-1)?.msg).toMatch(reason);
  });

  test.each([
    ["an ES module", { "flow.mjs": "export const a = 1;\nexport default = 2;\n" }, "flow.mjs:2:16"],
    [
      "a module that it imports",
      {
        "flow.mjs": 'import { b } from "./other.mjs";\nexport default b;\n',
        "other.mjs": "\n\nexport const b = = 2;\n",
      },
      "other.mjs:3:18",
    ],
    ["a CommonJS module", { "flow.cjs": "module.exports =\n  = 2;\n" }, "flow.cjs:2:3"],
    ["TypeScript", { "flow.ts": "export const a: number = 1;\nexport default = 2;\n" }, "flow.ts:2:15"],
  ])("with a syntax error in %s fails with its place", async (_what, files, place) => {
    // In a project that has tsx, where neither lint nor format looks.
    const folder = await mkdtemp(join(MODULES, "../../dist/syntax-"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const [flow = ""] = Object.keys(files);
    const { code, log } = await aggregatorCommand(["graph", `--flow=${join(folder, flow)}`]).ended;
    await rm(folder, { recursive: true });
    expect(code).toBe(1);
    expect(log.at(-1)).toMatchObject({ level: "error", code: "MILLRACE_FLOW_MODULE" });
    expect(log.at(-1)?.msg).toContain(`${flow} cannot be loaded: Unexpected `);
    expect(log.at(-1)?.msg).toMatch(new RegExp(` at ${join(folder, place)}$`));
  });

  test("that does not exist is a usage error", async () => {
    const { code, complaints } = await aggregatorCommand(["graph", "--flow=./nowhere.ts"]).ended;
    expect(code).toBe(2);
    expect(complaints[0]).toMatch(/^aggregator graph: --flow: there is no file .*nowhere\.ts/);
  });

  test("in the guide is the one that runs here", () => {
    const guide = readFileSync(join(import.meta.dirname, "../../../docs/flows.md"), "utf8");
    expect(guide).toContain(readFileSync(EXAMPLE, "utf8").trim());
  });
});

describe("aggregator graph", () => {
  test("draws a flow", async () => {
    const { code, output } = await aggregatorCommand(["graph", "--flow=echo"]).ended;
    expect(code).toBe(0);
    expect(output).toEqual([
      "flowchart LR",
      '  s0(["messages<br/><i>input</i>"])',
      '  s1(["out<br/><i>output</i>"])',
      "  s0 --> s1",
    ]);
  });

  test("prints it as data, with what its windows do", async () => {
    const args = ["graph", "--flow=audience", "--format=json", "--window=session:30s", "--clock=publish"];
    const { code, output } = await aggregatorCommand(args).ended;
    expect(code).toBe(0);
    expect(JSON.parse(output.join("\n"))).toMatchObject({
      flow: "audience",
      steps: [
        { id: "clicks", operator: "input", inputs: [] },
        { id: "decode", inputs: [{ step: "clicks", port: "down" }] },
        { id: "keyBy", operator: "keyBy", detail: "os_timezone" },
        { id: "windows.audience", operator: "window", detail: expect.stringContaining("30") },
        { id: "mapValue" },
        { id: "out", operator: "output" },
      ],
    });
  });
});
