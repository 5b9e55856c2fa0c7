import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { encodeFrame } from "@millrace/redis-source";
import { clickLine } from "./support/clicks.ts";
import { keptRows, withRedis } from "./support/kept-results.ts";
import type { KeptRow } from "./support/kept-results.ts";
import { aggregator, aggregatorCommand } from "./support/programs.ts";

/** Windows of 5 s begin here. */
const BASE = 1_763_848_800_000;
/** After BASE, s; and where the click came from. */
const CLICKS = [
  [1, "Madrid"],
  [4, "Rome"],
  [6, "Madrid"],
  [8, "Madrid"],
  [11, "Rome"],
  [13, "Madrid"],
  [16, "Madrid"],
] as const;
const TAMPERED = JSON.stringify({ tampered: true, window: { open: 0, close: 0 } });

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

const at = (seconds: number): string => new Date(BASE + seconds * 1_000).toISOString();
const lineOf = (city: string): string => clickLine({ os_timezone: `Europe/${city}`, device_is_mobile: true });

/** One entry for each click, whose id is its time. */
async function addLines(stream: string): Promise<void> {
  await withRedis(redis.url, async (client) => {
    for (const [seconds, city] of CLICKS) {
      await client.xadd(stream, `${BASE + seconds * 1_000}-0`, "data", lineOf(city));
    }
  });
}

/** The same in frames with a producer's numbers. */
async function addFrames(stream: string): Promise<void> {
  await withRedis(redis.url, async (client) => {
    for (const [first, [seconds, city]] of CLICKS.entries()) {
      const publishedAtMs = BASE + seconds * 1_000;
      const frame = encodeFrame({ producer: "p", first, publishedAtMs, lines: [lineOf(city)] });
      await client.xadd(stream, `${publishedAtMs}-0`, "data", Buffer.from(frame));
    }
    const end = { producer: "p", first: CLICKS.length, publishedAtMs: BASE + 60_000, lines: [] };
    await client.xadd(stream, `${BASE + 60_000}-0`, "data", Buffer.from(encodeFrame(end)));
  });
}

function argsOf(stream: string): readonly string[] {
  return [
    "--transport=stream",
    `--channel=${stream}`,
    "--partition-by=os_timezone",
    "--sink=redis",
    "--exit-when-idle=200ms",
    "--close-windows",
  ];
}

async function run(stream: string, ...more: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const running = aggregator(redis.url, [...argsOf(stream), "--idle-from=start", ...more]);
  expect((await running.ended).code).toBe(0);
  return running.logged("report");
}

async function admin(
  command: string,
  stream: string,
  ...more: readonly string[]
): Promise<{
  readonly code: number | null;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly events: readonly unknown[];
  readonly error: string;
}> {
  const given = aggregatorCommand([command, ...argsOf(stream), ...more], { REDIS_URL: redis.url });
  const { code, output, log, complaints } = await given.ended;
  const lines = output.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  return { code, lines, events: log.map(({ event }) => event), error: complaints.join("\n") };
}

/** When windows open, after BASE, s; the time zone; and the number of clicks. Tampered rows are left out. */
async function countsOf(stream: string): Promise<readonly string[]> {
  const [rows = []] = await keptRows(redis.url, [stream]);
  return rows
    .filter((row) => !("tampered" in row))
    .map(
      (row: KeptRow) =>
        `${(row.window.open - BASE) / 1_000} ${row.timezone.slice(7)} ${row.num_mobile_users}`,
    )
    .sort();
}

/** Overwrites all rows, so that it shows which ones are written again. */
async function tamper(stream: string): Promise<number> {
  return withRedis(redis.url, async (client) => {
    const windows = await client.keys(`millrace:{${stream}}:*:results:*`);
    for (const window of windows) {
      for (const key of await client.hkeys(window)) await client.hset(window, key, TAMPERED);
    }
    return windows.length;
  });
}

const ALL = ["0 Madrid 1", "0 Rome 1", "10 Madrid 1", "10 Rome 1", "15 Madrid 1", "5 Madrid 2"];
const FROM_10 = ALL.filter((row) => row.startsWith("1"));

test("streams are read again from a time: rows of windows from then on are replaced, and others stay", async () => {
  // One has bare lines, the other one frames with numbers.
  const both = "lines,frames";
  const counts = (): Promise<unknown> => Promise.all(["lines", "frames"].map(countsOf));
  const tamperBoth = (): Promise<unknown> => Promise.all(["lines", "frames"].map(tamper));
  await Promise.all([addLines("lines"), addFrames("frames")]);
  await run(both);
  expect(await counts()).toEqual([ALL, ALL]);
  expect(await tamperBoth()).toEqual([4, 4]);

  const reset = await admin("reset", both, `--to=${at(7)}`);
  const line = { start: at(7), windowsFrom: at(7), resultKeys: 0 };
  expect(reset).toMatchObject({ code: 0, lines: [line, line] });
  expect(reset.events).not.toContain("windows-unfinished");
  const inspected = await admin("inspect", both);
  const begins = { commitNumber: 0, position: null, start: at(7) };
  expect(inspected.lines).toMatchObject([begins, begins, { tasks: 2 }]);

  expect(await run(both)).toMatchObject({
    ...{ received: 8, lost: 0, duplicates: 0, possibleDuplicates: 0, late: 0, unaccounted: 0 },
  });
  expect(await counts()).toEqual([FROM_10, FROM_10]);
  const [frames = []] = await keptRows(redis.url, ["frames"]);
  // Nothing is missing of the producer whose first numbers were not read.
  expect(frames.filter((row) => "complete" in row).map(({ complete }) => complete)).toEqual([
    true,
    true,
    true,
  ]);

  // The beginning is part of the position: a window that was read in part has no row after a restart, either.
  expect(await tamperBoth()).toEqual([4, 4]);
  await run(both);
  expect(await counts()).toEqual([[], []]);
});

test("rows of a replay are kept beside those of other versions, and only they are removed", async () => {
  await addLines("beside");
  await run("beside");
  await admin("reset", "beside", `--to=${at(5)}`);
  await run("beside", "--results-as=v2");
  const keys = (): Promise<readonly string[]> =>
    withRedis(redis.url, async (client) => (await client.keys("millrace:{beside}:*:results:*")).sort());
  const before = await keys();
  const v2 = (await keys()).filter((key) => key.includes(":results:out@v2:"));
  expect(v2.map((key) => (Number(key.split(":").at(-1)) - BASE) / 1_000)).toEqual([5, 10, 15]);
  expect(await countsOf("beside")).toEqual(ALL);
  const reset = await admin("reset", "beside", `--to=${at(10)}`, "--results", "--results-as=v2");
  expect(reset.lines).toMatchObject([{ resultKeys: 2, windowsFrom: at(10) }]);
  expect(await keys()).toEqual(before.filter((key) => !/@v2:.*(?:10000|15000)$/.test(key)));
});

test("sessions, which get new names, are there once after a replay", async () => {
  await addLines("sessions");
  const session = "--window=session:2s";
  await run("sessions", session);
  const before = await countsOf("sessions");
  expect(before).toEqual(["1 Madrid 1", "11 Rome 1", "13 Madrid 1", "16 Madrid 1", "4 Rome 1", "6 Madrid 2"]);
  const refused = await admin("reset", "sessions", `--to=${at(7)}`, session);
  expect(refused).toMatchObject({ code: 2, lines: [] });
  expect(refused.error).toContain("sessions that are read again get new names");
  const beside = await admin("reset", "sessions", `--to=${at(7)}`, session, "--results-as=v2");
  expect(beside).toMatchObject({ code: 2, lines: [] });
  const module = `--flow=${join(import.meta.dirname, "modules/windows-of-windows.mjs")}`;
  const nested = await admin("reset", "sessions", `--to=${at(7)}`, session, "--results", module);
  expect(nested).toMatchObject({ code: 2, lines: [] });
  expect(nested.error).toContain("windows over results of windows");
  const reset = await admin("reset", "sessions", `--to=${at(7)}`, session, "--results");
  expect(reset.lines).toMatchObject([{ resultKeys: 3, windowsFrom: at(9) }]);
  await run("sessions", session);
  expect(await countsOf("sessions")).toEqual(before);
});

test("a task that has never committed begins at a time; what was trimmed before is reported", async () => {
  await addLines("begun");
  expect(await run("begun", `--start=${at(8)}`)).toMatchObject({ received: 4 });
  expect(await countsOf("begun")).toEqual(FROM_10);

  await addLines("trimmed");
  await withRedis(redis.url, (client) => client.xtrim("trimmed", "MINID", BASE + 13_000));
  const running = aggregator(redis.url, [...argsOf("trimmed"), `--start=${at(5)}`]);
  expect((await running.ended).code).toBe(0);
  expect(await running.logged("start-trimmed")).toMatchObject({ entries: 5, wholeFrom: BASE + 13_001 });
  expect(await running.logged("windows-left-out")).toMatchObject({ open: BASE + 10_000 });
  expect(await countsOf("trimmed")).toEqual(["15 Madrid 1"]);
});
