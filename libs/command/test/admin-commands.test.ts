import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import type { ProgramConfig, ProgramContext } from "@millrace/cli";
import { Dataflow, SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { connectRedis } from "@millrace/redis-source";
import type { RedisConnection } from "@millrace/redis-source";
import { inspect, inspectConfig } from "../src/commands/inspect.ts";
import { reset, resetConfig } from "../src/commands/reset.ts";
import { run } from "../src/commands/run.ts";
import type { FlowProgram } from "../src/flow-program.ts";
import type { FlowOf, FlowParts } from "../src/flows/flow-parts.ts";
import { flowOption } from "../src/options/flow-options.ts";
import { runConfig } from "../src/options/run-options.ts";

type Client = Awaited<ReturnType<RedisConnection["whenUp"]>>;

/** Windows of 5 s begin here. */
const BASE = 1_763_848_800_000;
/** When an entry was added, s after BASE. */
const ENTRIES = [1, 4, 6, 8, 11, 13, 16];

const windows = ({ source, windower, clock, results }: FlowParts): Dataflow => {
  const flow = new Dataflow("windows");
  flow
    .input("in", source)
    .keyBy("key", () => "all", { perPartition: true })
    .window("w", windower, clock)
    .count("n")
    .output("out", results);
  return flow;
};

/** The version of `windows` before: without them. */
const withoutWindows = ({ source, out }: FlowParts): Dataflow => {
  const flow = new Dataflow("windows");
  flow.input("in", source).output("lines", out);
  return flow;
};

const echo = ({ source, out }: FlowParts): Dataflow => {
  const flow = new Dataflow("echo");
  flow.input("in", source).output("out", out);
  return flow;
};

/** Counts each line. */
const counting =
  (version: number, migrate: (old: unknown) => number = Number): FlowOf =>
  ({ source, out }) => {
    const flow = new Dataflow("counting");
    flow
      .input("in", source)
      .keyBy("key", String, { perPartition: true })
      .statefulMap(
        "count",
        () => 0,
        (lines) => [lines + 1, lines + 1],
        { version, migrate },
      )
      .output("out", out);
    return flow;
  };

const FLOWS = {
  windows: { build: windows },
  before: { build: withoutWindows },
  echo: { build: echo },
  first: { build: counting(1) },
  second: { build: counting(2) },
  broken: {
    build: counting(2, () => {
      throw new Error("no such field");
    }),
  },
};

const PROGRAM: FlowProgram = {
  usageOf: (command) => command,
  description: "",
  commands: [],
  choose: (cli, env) => flowOption(cli, FLOWS, env),
  transport: { channel: "events" },
};

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

async function withRedis<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await connectRedis(
    { url: redis.url },
    { role: "test", logger: SILENT_LOGGER, time: SYSTEM_TIME },
  );
  try {
    return await use(await connection.whenUp());
  } finally {
    await connection.close();
  }
}

/** Adds the entries to each stream. */
function fill(...streams: readonly string[]): Promise<void> {
  return withRedis(async (client) => {
    for (const stream of streams) {
      for (const at of ENTRIES) await client.xadd(stream, `${BASE + at * 1_000}-0`, "data", String(at));
    }
  });
}

interface Done {
  readonly lines: readonly unknown[];
  /** Events of the log. */
  readonly events: readonly unknown[];
  readonly error: unknown;
}

/** Calls a command in this process. */
async function call<Config extends ProgramConfig>(
  command: (context: ProgramContext<Config>) => Promise<void>,
  configOf: (
    program: FlowProgram,
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
  ) => Config,
  args: readonly string[],
): Promise<Done> {
  const events: unknown[] = [];
  const logger = {
    ...SILENT_LOGGER,
    warn: (fields: object) => void events.push("event" in fields && fields.event),
  };
  const lines: unknown[] = [];
  const stdout = jest.spyOn(process.stdout, "write").mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
  try {
    const config = configOf(PROGRAM, ["--transport=stream", ...args], { REDIS_URL: redis.url });
    await command({ config, logger, signal: new AbortController().signal });
    return { lines, events, error: undefined };
  } catch (error) {
    return { lines, events, error };
  } finally {
    stdout.mockRestore();
  }
}

const at = (seconds: number): string => new Date(BASE + seconds * 1_000).toISOString();

async function runOver(...args: readonly string[]): Promise<void> {
  const idle = ["--sink=redis", "--exit-when-idle=20ms", "--idle-from=start"];
  expect(await call(run, runConfig, [...idle, ...args])).toMatchObject({ error: undefined });
}

const resetOf = (...args: readonly string[]): Promise<Done> => call(reset, resetConfig, args);
const differenceOf = (...args: readonly string[]): Promise<Done> =>
  call(inspect, inspectConfig, ["--diff", ...args]);

test.each([
  {
    window: "tumbling:5s",
    to: {
      7: [],
      10: [],
      10.001: ["windows-unfinished"],
      12: ["windows-unfinished"],
      15: ["windows-unfinished"],
    },
  },
  // At 14 s the window from 10 s has closed, and that from 12 s has not.
  { window: "sliding:4s/2s", to: { 10: [], 12: [], 13: ["windows-unfinished"] } },
  // One from 11 s on is open: with a place at 9 s it has a row.
  { window: "session:2s", to: { 7: [], 9: [], 9.001: ["windows-unfinished"], 14: ["windows-unfinished"] } },
])(
  "a reset says that windows of $window which span place and watermark get no row",
  async ({ window, to }) => {
    const places = Object.entries(to);
    const streams = places.map(([place]) => `${window.slice(0, 3)}-${place}`);
    await fill(...streams);
    // The watermark is at 14 s.
    const options = ["--flow=windows", `--window=${window}`, "--clock=publish:2s"];
    await runOver(`--channel=${streams.join(",")}`, ...options);
    const replace = window.startsWith("session") ? ["--results"] : [];
    for (const [index, [place, events]] of places.entries()) {
      const done = await resetOf(
        `--channel=${streams[index] ?? ""}`,
        `--to=${at(Number(place))}`,
        ...options,
        ...replace,
      );
      expect({ place, ...done }).toMatchObject({ place, events, error: undefined });
    }
  },
);

test("a reset after an entry has windows that open in a later millisecond", async () => {
  await fill("entry");
  const options = ["--flow=windows", "--channel=entry", "--clock=publish:10s"];
  await runOver(...options);
  const place = `${BASE + 8_000}-0`;
  expect(await resetOf(...options, `--to=${place}`)).toMatchObject({
    lines: [{ start: place, windowsFrom: at(8.001) }],
    events: ["windows-unfinished"],
  });
});

test("a reset to a place refuses kept sessions if its options name other windows", async () => {
  await fill("named");
  const options = ["--flow=windows", "--channel=named"];
  await runOver(...options, "--window=session:2s");
  for (const results of [[], ["--results"]]) {
    expect(await resetOf(...options, `--to=${at(7)}`, ...results)).toMatchObject({
      lines: [],
      error: {
        code: "MILLRACE_USAGE",
        message: expect.stringMatching(
          /has sessions \(step "w\.n": session with a gap of 2 s\).*--window of the run/,
        ),
      },
    });
  }
  // Nothing was reset.
  expect(await differenceOf(...options, "--window=session:2s")).toMatchObject({ error: undefined });
  expect(await resetOf(...options, `--to=${at(7)}`, "--window=session:2s", "--results")).toMatchObject({
    error: undefined,
  });
});

test("a reset says that rows repeat in the stream that the next run writes to, and in no other", async () => {
  await fill("repeated");
  const options = ["--flow=echo", "--channel=repeated"];
  await runOver(...options);
  const place = `--to=${at(12)}`;
  expect((await resetOf(...options, place, "--results-as=v2")).events).toEqual([]);
  expect((await resetOf(...options, place)).events).toEqual(["entries-repeat"]);
  await runOver(...options, "--results-as=v2");
  const lengths = await withRedis((client) =>
    Promise.all(["out", "out@v2"].map((name) => client.xlen(`millrace:{repeated}:echo:results:${name}`))),
  );
  expect(lengths).toEqual([7, 2]);
  expect((await resetOf(...options, place, "--results-as=v2")).events).toEqual(["entries-repeat"]);
});

test("inspect counts the open windows of a step that began empty, without what it keeps of its beginning", async () => {
  await fill("added");
  const stream = "--channel=added";
  await runOver(stream, "--flow=before");
  await withRedis((client) => client.xadd("added", `${BASE + 21_000}-0`, "data", "21"));
  const options = [stream, "--flow=windows", "--window=tumbling:5s", "--clock=publish:2s"];
  await runOver(...options);
  expect(await call(inspect, inspectConfig, options)).toMatchObject({
    lines: [{ openWindows: 1, steps: [{ step: "w.n", groups: 3, begins: true }] }, {}],
    error: undefined,
  });
});

test("inspect --diff refuses what a start refuses: a migrate that throws, too many keys, another source's position", async () => {
  await fill("deployed-0");
  const stream = "--channel=deployed-0";
  await runOver(stream, "--flow=first");
  const kept = { step: "count", from: "count" };
  expect(await differenceOf(stream, "--flow=first")).toMatchObject({
    lines: [{ starts: true, kept: [kept], refused: [] }, { starts: true }],
    error: undefined,
  });
  expect(await differenceOf(stream, "--flow=second")).toMatchObject({
    lines: [{ starts: true, migrated: [kept], refused: [] }, { starts: true }],
    error: undefined,
  });
  expect(await differenceOf(stream, "--flow=broken")).toMatchObject({
    lines: [
      {
        starts: false,
        migrated: [],
        refused: [{ step: "count", why: expect.stringContaining("no such field"), droppable: false }],
      },
      { starts: false },
    ],
    error: { code: "MILLRACE_STATE_INVALID" },
  });
  expect(await differenceOf(stream, "--flow=first", "--max-keys=6")).toMatchObject({
    lines: [{ starts: false, refused: [{ why: expect.stringContaining("7 keys") }] }, { starts: false }],
    error: { code: "MILLRACE_STATE_TOO_LARGE" },
  });
  expect(await differenceOf(stream, "--flow=first", "--transport=pubsub")).toMatchObject({
    lines: [{ starts: false, refused: [{ step: "in", why: expect.stringContaining("position") }] }, {}],
    error: { code: "MILLRACE_REDIS_POSITION_INVALID" },
  });
  // Nothing is opened: no Kafka is there.
  const topic = ["--transport=kafka", "--brokers=localhost:1", "--channel=deployed", "--tasks=0"];
  expect(await differenceOf(...topic, "--flow=first")).toMatchObject({
    lines: [{ starts: false, refused: [{ step: "in", why: expect.stringContaining("position") }] }, {}],
    error: { code: "MILLRACE_KAFKA_POSITION_INVALID" },
  });
});
