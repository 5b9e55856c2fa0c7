import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import { startProgram } from "@millrace/local-redis/programs";
import type { ProgramEnd, StartedProgram } from "@millrace/local-redis/programs";

const ROOT = join(import.meta.dirname, "../../..");
const BIN = join(ROOT, "libs/millrace/dist/bin.js");
const CLEAN = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(REDIS_|MILLRACE_|EVENTS_JSONL_FILE|INIT_CWD)/.test(name))
    .map((name) => [name, undefined]),
);

interface Given {
  readonly input?: string;
  readonly redis?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function start(args: readonly string[], { input = "", redis, env }: Given = {}): StartedProgram {
  const url = redis === undefined ? {} : { REDIS_URL: redis };
  return startProgram(BIN, { args, input, env: { ...CLEAN, INIT_CWD: import.meta.dirname, ...url, ...env } });
}

/** Runs the command `millrace` as it is published. */
function millrace(args: readonly string[], given?: Given): Promise<ProgramEnd> {
  return start(args, given).ended;
}

/** What is read of a click. */
interface Click {
  readonly os_timezone: string;
  readonly device_is_mobile: boolean;
}

interface Row {
  readonly timezone: string;
  readonly num_mobile_users: number;
}

function rowsOf({ output }: ProgramEnd): readonly unknown[] {
  return output.map((line): unknown => JSON.parse(line));
}

const ORDERS = `{"item":"tea","price":4}\n{"item":"jam","price":6}\n{"item":"tea","price":5}\n`;

describe("millrace", () => {
  test("says what it can do", async () => {
    const [alone, asked] = await Promise.all([millrace([]), millrace(["--help"])]);
    expect(alone).toEqual(asked);
    expect(asked.code).toBe(0);
    const commands = ["count", "run <flow>", "publish", "graph <flow>", "inspect <flow>", "reset <flow>"];
    for (const command of commands) expect(asked.output.join("\n")).toContain(`\n  ${command}`);
  });

  test("knows its version, and what was meant", async () => {
    const [version, typo] = await Promise.all([millrace(["--version"]), millrace(["cuont"])]);
    expect(version.output).toEqual(["0.1.0"]);
    expect(typo).toMatchObject({ code: 2 });
    expect(typo.complaints[0]).toBe("millrace: unknown command cuont; did you mean count");
  });
});

describe("millrace count", () => {
  test("counts the clicks of the tutorial by the line in the README", async () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const [, line = ""] = /^npx millrace (count .*--file=data\/events\.jsonl)$/m.exec(readme) ?? [];
    const args = [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ""));
    expect(args).toContain("--by=os_timezone as timezone");
    const ended = await millrace(args, { env: { INIT_CWD: ROOT } });
    expect(ended.code).toBe(0);
    const expected = new Map<string, number>();
    for (const click of readFileSync(join(ROOT, "data/events.jsonl"), "utf8").trim().split("\n")) {
      const { os_timezone, device_is_mobile } = JSON.parse(click) as Click;
      expected.set(os_timezone, (expected.get(os_timezone) ?? 0) + Number(device_is_mobile));
    }
    // The run may begin at the end of a window.
    const found = new Map<string, number>();
    for (const row of rowsOf(ended) as Row[]) {
      found.set(row.timezone, (found.get(row.timezone) ?? 0) + row.num_mobile_users);
    }
    expect(found).toEqual(expected);
  });

  test("reads standard input", async () => {
    const args = [
      "count",
      "--by=item",
      "--sum=price",
      "--where=price>4",
      "--file=-",
      "--window=tumbling:10000d",
    ];
    const ended = await millrace(args, { input: ORDERS });
    expect(ended.code).toBe(0);
    expect(rowsOf(ended)).toEqual([
      { item: "jam", sum_price: 6 },
      { item: "tea", sum_price: 5 },
    ]);
  });

  test("reads what is published to Redis, keeps its state there, and forgets it", async () => {
    await using server = await startRedis();
    const redis = server.url;
    const stream = ["--transport=stream", "--window=tumbling:10000d"];
    const published = await millrace(["publish", "--file=-", "--transport=stream"], { input: ORDERS, redis });
    expect(published.code).toBe(0);
    const count = ["count", "--by=item", "--count=orders", "--exit-when-idle=300ms", ...stream];
    const ended = await millrace(count, { redis });
    expect(ended.code).toBe(0);
    expect(rowsOf(ended)).toEqual([
      expect.objectContaining({ item: "tea", orders: 2 }),
      expect.objectContaining({ item: "jam", orders: 1 }),
    ]);
    const inspected = rowsOf(await millrace(["inspect", "count", ...stream], { redis }));
    expect(inspected[0]).toMatchObject({ flow: "count", part: "events", openWindows: 1 });
    expect(rowsOf(await millrace(["reset", "count", ...stream], { redis }))).toMatchObject([
      { flow: "count" },
    ]);
    const after = rowsOf(await millrace(["inspect", "count", ...stream], { redis }));
    expect(after[0]).toMatchObject({ flow: "count", openWindows: 0 });
  });

  test("has a graph", async () => {
    const { output } = await millrace(["graph", "count", "--by=item", "--format=json"]);
    expect(JSON.parse(output.join("\n"))).toMatchObject({ flow: "count" });
  });
});

describe("millrace run", () => {
  const orders = ["./flows/orders.ts", "--file=-", "--window=tumbling:10000d"];

  test("runs a flow in TypeScript with the options that its module declares", async () => {
    const ended = await millrace(["run", ...orders, "--min-price=5", "--loud"], { input: ORDERS });
    expect(ended.code).toBe(0);
    expect(rowsOf(ended)).toEqual([
      { item: "JAM", revenue: 6 },
      { item: "TEA", revenue: 5 },
    ]);
    const byVariable = await millrace(["run", ...orders], { input: ORDERS, env: { MIN_PRICE: "6" } });
    expect(rowsOf(byVariable)).toEqual([{ item: "jam", revenue: 6 }]);
  });

  test("runs the flow in the guide", async () => {
    const guide = readFileSync(join(ROOT, "docs/flows.md"), "utf8");
    const [, flow = ""] = /```ts\n(import \{ Dataflow, json \} from "millrace";.*?)```/s.exec(guide) ?? [];
    const folder = mkdtempSync(join(import.meta.dirname, "guide-"));
    writeFileSync(join(folder, "flow.ts"), flow);
    const args = ["run", join(folder, "flow.ts"), "--file=-", "--min-price=5", "--window=tumbling:10000d"];
    const ended = await millrace(args, { input: ORDERS });
    rmSync(folder, { recursive: true });
    expect(rowsOf(ended)).toEqual([
      { item: "jam", revenue: 6 },
      { item: "tea", revenue: 5 },
    ]);
  });

  test("shows these options in its help", async () => {
    const { code, output } = await millrace(["run", "./flows/orders.ts", "--help"]);
    expect(code).toBe(0);
    const help = output.join(" ").replace(/ +/g, " ");
    expect(help).toContain("--min-price <eur> orders below it are left out (default: 0, env: MIN_PRICE)");
    expect(help).toContain("--loud [boolean] items in capital letters");
    expect(help).toContain("--window <kind:length>");
  });

  test("runs a flow in JavaScript, over Redis too", async () => {
    const fromFile = await millrace(["run", "./flows/lines.mjs", "--file=-"], { input: "a\nb\n" });
    expect(fromFile).toMatchObject({ code: 0, output: ["A", "B"] });
    await using server = await startRedis();
    const running = start(["run", "./flows/lines.mjs", "--exit-when-idle=300ms"], { redis: server.url });
    await millrace(["publish", "--file=-"], { input: "c\n", redis: server.url });
    expect(await running.ended).toMatchObject({ code: 0, output: ["C"] });
  });

  test.each([
    [[], 2, "millrace run: name the flow module first, such as ./flow.ts"],
    [["--window=session:5s", "./flows/lines.mjs"], 2, "millrace run: name the flow module first"],
    [["./nowhere.ts"], 2, "millrace run: there is no file"],
    [[...orders, "--min-price=much"], 2, 'millrace run: --min-price: "much" is no number'],
    [["./flows/lines.mjs", "--min-price=5"], 2, "millrace run: unknown option '--min-price=5'"],
    [["./flows/lines.mjs", "--partitions=2"], 2, "name the field that divides the events among them"],
    [["./flows/taken-flag.mjs"], 1, "options.mine: there is an option --window <size> already"],
    [["./flows/odd-options.mjs"], 1, "odd-options.mjs: options.limit is no option. Give { flag:"],
  ])("with %j ends with exit code %i", async (args, code, message) => {
    const ended = await millrace(["run", ...args]);
    expect(ended.code).toBe(code);
    expect([ended.complaints[0] ?? "", ended.log.at(-1)?.msg ?? ""].join("")).toContain(message);
  });
});

describe("millrace publish", () => {
  test("wants a file", async () => {
    const { code, complaints } = await millrace(["publish"]);
    expect(code).toBe(2);
    expect(complaints[0]).toBe("millrace publish: --file: name the file to publish, or - for standard input");
  });
});
