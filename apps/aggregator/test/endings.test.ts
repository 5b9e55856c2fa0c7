import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import { startLoopbackProxy, startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { connectRedis } from "@millrace/redis-source";
import { addLines } from "./support/add-lines.ts";
import { clickLine } from "./support/clicks.ts";
import { eventually, keptRows, rowsKept, sumsOf, sumsOfLines } from "./support/kept-results.ts";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { aggregator, aggregatorForSlowReader, aggregatorOnFullDisk, publisher } from "./support/programs.ts";

const EVENTS = join(import.meta.dirname, "../../../data/events.jsonl");
const LINES = readFileSync(EVENTS, "utf8").trimEnd().split("\n");

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

test("all connections of a start share --connect-timeout", async () => {
  const slow = await startLoopbackProxy(redis, {
    tap: (connection) => {
      const answer = SYSTEM_TIME.monotonic() + 400;
      return {
        onAnswer: (bytes) => {
          SYSTEM_TIME.wakeAfter(Math.max(answer - SYSTEM_TIME.monotonic(), 0), () => {
            connection.toClient(bytes);
          });
        },
      };
    },
  });
  const stream = ["--transport=stream", "--channel=slow-start", "--sink=redis"];
  const { code, log } = await aggregator(slow.url, [...stream, "--connect-timeout=900ms"]).ended;
  await slow.close();
  expect(code).toBe(1);
  expect(log.at(-1)?.msg).toMatch(/ms that were left of the 900 ms for connecting/);
});

describe("rows on standard output", () => {
  test("all reach a slow reader before the program ends", async () => {
    const stream = ["--transport=stream", "--channel=slow"];
    await addLines(redis.url, "slow", LINES.slice(0, 1_000));
    const echoing = [...stream, "--flow=echo", "--exit-when-idle=300ms"];
    expect(await aggregatorForSlowReader(redis.url, echoing, 3)).toEqual({ lines: 1_000, code: 0 });
  });

  test("are complete in a run that continues after a SIGKILL", async () => {
    const stream = ["--transport=stream", "--channel=killed"];
    const echoing = [...stream, "--flow=echo"];
    const first = aggregator(redis.url, echoing);
    await first.logged("reading");
    const lines = LINES.slice(0, 6_000);
    const publishing = publisher(redis.url, "-", [...stream, "--rate=3000"], lines.join("\n"));
    await first.printed((line) => line === LINES[4_000]);
    first.kill("SIGKILL");
    const { output: before } = await first.ended;
    expect((await publishing.ended).code).toBe(0);
    const second = aggregator(redis.url, [...echoing, "--exit-when-idle=300ms"]);
    const { output: after, code } = await second.ended;
    expect(code).toBe(0);
    expect(after.length).toBeLessThan(lines.length);
    const printed = new Set([...before, ...after]);
    expect(lines.filter((line) => !printed.has(line))).toEqual([]);
    expect(await second.logged("report")).toMatchObject({ rowsOut: { out: after.length }, unaccounted: 0 });
  });
});

describe("a worker that is stopped with many keys open, and no store", () => {
  const keys = 12_000;
  const lines = Array.from({ length: keys }, (_, n) => clickLine({ os_timezone: `Made/Up${n}` }));

  async function withOpenKeys(...args: readonly string[]): Promise<StartedProgram> {
    const channel = `--channel=open-${args.length}`;
    const counting = [channel, "--window=tumbling:10000d", "--flow=audience", "--http=0"];
    const worker = aggregator(redis.url, [...counting, ...args]);
    const { url } = await worker.logged("http-listening");
    await worker.logged("subscribed");
    const publishing = publisher(redis.url, "-", [channel, "--batch=500"], lines.join("\n"));
    expect((await publishing.ended).code).toBe(0);
    await eventually(async () => {
      const tasks = await fetch(new URL("api/tasks", String(url)));
      const { account } = (await tasks.json()) as { account: { counted: number } };
      return account.counted === keys;
    });
    return worker;
  }

  test("prints them all", async () => {
    const worker = await withOpenKeys();
    worker.kill("SIGTERM");
    const { code, output } = await worker.ended;
    expect(code).toBe(0);
    expect(output.length).toBeGreaterThanOrEqual(keys);
    expect(await worker.logged("report")).toMatchObject({ received: keys, counted: keys });
  });

  test("reports what is missing if its time is too short", async () => {
    const worker = await withOpenKeys("--drain-timeout=300ms");
    worker.pauseOutput();
    worker.kill("SIGTERM");
    const failure = await worker.logged("failed");
    worker.resumeOutput();
    expect(failure).toMatchObject({ code: "MILLRACE_DRAIN_TIMEOUT" });
    const [, rows = 0, open = 0] =
      /within 300 ms .* up to (\d+) rows were not written, and the results of (\d+) keys/.exec(failure.msg) ??
      [];
    const { code, output } = await worker.ended;
    expect(code).toBe(1);
    expect(output.length + Number(rows) + Number(open)).toBeGreaterThanOrEqual(keys);
    expect(failure.msg).not.toContain("read again");
  });
});

describe("an input without events", () => {
  test("ends an idle run that counts from its start", async () => {
    const worker = aggregator(redis.url, ["--channel=empty", "--exit-when-idle=300ms", "--idle-from=start"]);
    expect((await worker.ended).code).toBe(0);
  });

  test("makes the run wait otherwise, which is logged", async () => {
    const worker = aggregator(redis.url, ["--channel=empty", "--exit-when-idle=300ms"]);
    await worker.logged("waiting-for-first-event");
    worker.kill("SIGTERM");
    expect((await worker.ended).code).toBe(0);
  });
});

describe("a full disk", () => {
  test.each([
    ["stdout", 1, "MILLRACE_SINK_FAILED"],
    ["stderr", 0, undefined],
  ] as const)("%s: exit code %d", async (full, code, error) => {
    const channel = `full-${full}`;
    await addLines(redis.url, channel, LINES.slice(0, 600));
    const args = ["--transport=stream", `--channel=${channel}`, "--flow=echo", "--exit-when-idle=300ms"];
    const ended = await aggregatorOnFullDisk(redis.url, args, full);
    expect(ended.code).toBe(code);
    if (error === undefined) expect(ended.text.trimEnd().split("\n")).toHaveLength(600);
    else expect(ended.text.split("\n").filter((line) => line.includes(error))).toHaveLength(1);
    expect(ended.text).not.toMatch(/^ +at /m);
  });
});

test("a run that ends when it is idle leaves its windows to the next one, where no event is late", async () => {
  const stream = ["--transport=stream", "--channel=hourly"];
  const counting = [...stream, "--sink=redis", "--window=tumbling:10000d", "--exit-when-idle=300ms"];
  for (const until of [400, 800]) {
    await addLines(redis.url, "hourly", LINES.slice(until - 400, until));
    const worker = aggregator(redis.url, counting);
    expect((await worker.ended).code).toBe(0);
    expect(await worker.logged("report")).toMatchObject({
      received: 400,
      counted: 400,
      late: 0,
      unaccounted: 0,
    });
    const [shown = []] = await keptRows(redis.url, ["hourly"]);
    expect(sumsOf(shown)).toEqual(sumsOfLines(LINES.slice(0, until)));
  }
  const last = aggregator(redis.url, [...counting, "--close-windows"]);
  expect((await last.ended).code).toBe(0);
  const [rows = []] = await keptRows(redis.url, ["hourly"]);
  expect(sumsOf(rows)).toEqual(sumsOfLines(LINES.slice(0, 800)));
});

test("a worker whose store was emptied counts every event once, and accounts for events that it reads again", async () => {
  const stream = ["--transport=stream", "--channel=emptied"];
  const worker = aggregator(redis.url, [...stream, "--sink=redis", "--window=tumbling:10000d"]);
  await worker.logged("reading");
  const connection = await connectRedis(
    { url: redis.url },
    { role: "test", logger: SILENT_LOGGER, time: SYSTEM_TIME },
  );
  const client = await connection.whenUp();
  const meta = "millrace:{emptied}:mobile_counts:meta";
  /** Whether everything in the stream is part of a commit. */
  const caughtUp = async (): Promise<boolean> => {
    const [[last] = [""]] = await client.xrevrange("emptied", "+", "-", "COUNT", 1);
    const position: unknown = JSON.parse((await client.hget(meta, "position")) ?? "null");
    return typeof position === "object" && position !== null && "id" in position && position.id === last;
  };
  for (const until of [300, 600, 900, 1_000]) {
    if (until > 300) await client.del(...(await client.keys("millrace:{emptied}:mobile_counts:*")));
    await addLines(redis.url, "emptied", LINES.slice(until === 1_000 ? 900 : until - 300, until));
    await eventually(caughtUp);
  }
  await connection.close();
  worker.kill("SIGTERM");
  expect((await worker.ended).code).toBe(0);
  const { received, counted, discarded, unaccounted } = await worker.logged("report");
  expect({ received, counted, unaccounted }).toEqual({ received: 1_000, counted: 1_000, unaccounted: 0 });
  // Everything before each of the three times.
  expect(Number(discarded)).toBeGreaterThanOrEqual(300 + 600 + 900);
});

test("a worker that is refused does not stop the worker that has the task", async () => {
  const stream = ["--transport=stream", "--channel=refused"];
  const counting = [...stream, "--sink=redis", "--window=tumbling:300ms"];
  const first = aggregator(redis.url, counting);
  await first.logged("reading");
  await addLines(redis.url, "refused", [clickLine()]);
  await rowsKept(redis.url, "refused", 1);

  const others = {
    "another window": ["--window=tumbling:2s"],
    "another clock": ["--clock=system"],
    "another transport": ["--transport=pubsub", "--store=redis", "--clock=publish"],
  };
  const refused = Object.entries(others).map(async ([name, differing]) => {
    const { code, log } = await aggregator(redis.url, [...counting, ...differing]).ended;
    return { name, code, error: log.at(-1)?.["code"] };
  });
  expect(await Promise.all(refused)).toEqual([
    { name: "another window", code: 1, error: "MILLRACE_STATE_MISMATCH" },
    { name: "another clock", code: 1, error: "MILLRACE_STATE_MISMATCH" },
    { name: "another transport", code: 1, error: "MILLRACE_REDIS_POSITION_INVALID" },
  ]);

  // Still at work: it reads on and commits.
  await addLines(redis.url, "refused", [clickLine()]);
  await rowsKept(redis.url, "refused", 2);
  first.kill("SIGTERM");
  expect((await first.ended).code).toBe(0);
  expect(await first.logged("report")).toMatchObject({ received: 2, counted: 2, unaccounted: 0 });
});
