import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort, startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { addLines } from "./support/add-lines.ts";
import { clickLine } from "./support/clicks.ts";
import { eventually, keptRows, rowsKept, sumsOf, sumsOfLines, withRedis } from "./support/kept-results.ts";
import { aggregator, aggregatorCommand, publisher } from "./support/programs.ts";

const EVENTS = join(import.meta.dirname, "../../../data/events.jsonl");
const LINES = readFileSync(EVENTS, "utf8").trimEnd().split("\n");
const EXPECTED = sumsOfLines(LINES);
/** Enough for all time zones, where no load is needed. */
const SOME = LINES.slice(0, 1_000);
const EXPECTED_OF_SOME = sumsOfLines(SOME);
/** Ends when all has been read, and closes the windows, which otherwise stay open for the next run. */
const CLOSING = ["--exit-when-idle=300ms", "--close-windows"];

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

/** What `inspect` prints: a line for each task, then one for all. */
async function inspected(args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const { code, output } = await aggregatorCommand(["inspect", ...args], { REDIS_URL: redis.url }).ended;
  expect(code).toBe(0);
  return output.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("over a stream", () => {
  test.each([
    ["SIGKILL", null],
    ["SIGTERM", 0],
  ] as const)(
    "after a %s under load the next run continues, and the results are exact",
    async (signal, code) => {
      const channel = `load-${signal}`;
      const stream = ["--transport=stream", `--channel=${channel}`];
      const counting = [...stream, "--sink=redis", "--window=tumbling:200ms", "--clock=publish:100ms"];
      const first = aggregator(redis.url, counting);
      await first.logged("reading");
      const publishing = publisher(redis.url, EVENTS, [...stream, "--rate=5000"]);
      await rowsKept(redis.url, channel, 1);
      first.kill(signal);
      expect((await first.ended).code).toBe(code);
      expect((await publishing.ended).code).toBe(0);
      const [task] = await inspected(stream);
      expect(task?.["commitNumber"]).toBeGreaterThan(0);

      const second = aggregator(redis.url, [...counting, ...CLOSING]);
      expect(await second.logged("reading")).toMatchObject({ resumed: true });
      expect((await second.ended).code).toBe(0);
      const [rows = []] = await keptRows(redis.url, [channel]);
      expect(sumsOf(rows)).toEqual(EXPECTED);
      expect(await second.logged("report")).toMatchObject({ late: 0, lost: 0, unaccounted: 0 });
    },
  );

  test("a second owner stops the first one, which exits with code 75", async () => {
    const args = ["--transport=stream", "--channel=owned", "--sink=redis", "--window=tumbling:100ms"];
    const first = aggregator(redis.url, args);
    await first.logged("reading");
    const second = aggregator(redis.url, args);
    await second.logged("reading");
    const publishing = publisher(redis.url, "-", args.slice(0, 2), clickLine());
    expect((await publishing.ended).code).toBe(0);
    const { code, log } = await first.ended;
    expect(code).toBe(75);
    expect(log.at(-1)).toMatchObject({ code: "MILLRACE_FENCED" });
    second.kill("SIGTERM");
    expect((await second.ended).code).toBe(0);
  });

  test("two workers share the partitions, and each time zone is in one of them only", async () => {
    const parts = ["{split:0}", "{split:1}"];
    const stream = ["--transport=stream", "--channel=split", "--partitions=2"];
    const counting = [...stream, "--sink=redis", "--window=tumbling:10000d", ...CLOSING];
    await addLines(redis.url, "split", SOME, 2);
    const workers = [0, 1].map((task) => aggregator(redis.url, [...counting, `--tasks=${task}`]));
    const ends = await Promise.all(workers.map(({ ended }) => ended));
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    const rows = await keptRows(redis.url, parts);
    expect(rows.map(({ length }) => length > 10)).toEqual([true, true]);
    expect(rows.flat()).toHaveLength(EXPECTED_OF_SOME.size);
    expect(sumsOf(rows.flat())).toEqual(EXPECTED_OF_SOME);

    // All windows are closed, in both tasks: the results are final.
    const close = rows[0]?.[0]?.window.close;
    const lines = await inspected(stream);
    expect(lines).toMatchObject([
      { part: parts[0], watermark: close, openWindows: 0 },
      { part: parts[1], watermark: close, openWindows: 0 },
      { flow: "mobile_counts", tasks: 2, watermark: close },
    ]);
  });

  test("a partition without events does not stop the watermark, and is named", async () => {
    const stream = ["--transport=stream", "--channel=lone", "--partitions=4"];
    const counting = [...stream, "--sink=redis", "--window=tumbling:10000d", ...CLOSING];
    await addLines(redis.url, "lone", [clickLine()], 4);
    expect((await aggregator(redis.url, counting).ended).code).toBe(0);
    const lines = await inspected(stream);
    const heard = lines.slice(0, 4).filter(({ watermark }) => watermark !== null);
    expect(heard).toHaveLength(1);
    const others = lines.slice(0, 4).filter(({ watermark }) => watermark === null);
    expect(lines.at(-1)).toEqual({
      flow: "mobile_counts",
      tasks: 4,
      watermark: heard[0]?.["watermark"],
      neverHeard: others.map(({ part }) => part),
    });
  });

  test.each(["inspect", "reset"])(
    "%s logs first what it connects to, also if nothing answers",
    async (name) => {
      const port = await freePort();
      const args = ["--channel=c", "--partitions=2", "--connect-timeout=200ms"];
      const { code, log } = await aggregatorCommand([name, ...args], {
        REDIS_URL: `redis://127.0.0.1:${port}`,
      }).ended;
      expect(code).toBe(1);
      expect(log[0]).toMatchObject({
        level: "info",
        event: "starting",
        redis: `127.0.0.1:${port}`,
        msg: `${name === "reset" ? "resetting" : "inspecting"} 2 tasks of mobile-counts in 127.0.0.1:${port}`,
      });
    },
  );

  test("inspect says that there is no such task, as for a mistyped channel", async () => {
    const url = { REDIS_URL: redis.url };
    const { code, output, complaints } = await aggregatorCommand(["inspect", "--channel=agian"], url).ended;
    expect(code).toBe(2);
    expect(output).toEqual([]);
    expect(complaints[0]).toMatch(
      /^aggregator inspect: no task of mobile_counts has ever run on agian .*\. Check the flow, --channel/,
    );
  });

  test("a reset makes a task begin from the start, and removes its results if asked", async () => {
    const stream = ["--transport=stream", "--channel=again"];
    const counting = [...stream, "--sink=redis", "--window=tumbling:10000d", ...CLOSING];
    const reset = ["reset", "--channel=again", "--results"];
    await addLines(redis.url, "again", [clickLine(), clickLine()]);
    for (const round of ["first", "second"]) {
      expect([round, (await aggregator(redis.url, counting).ended).code]).toEqual([round, 0]);
      const [rows = []] = await keptRows(redis.url, ["again"]);
      expect(rows.map(({ num_mobile_users }) => num_mobile_users)).toEqual([2]);
      const { code, output } = await aggregatorCommand(reset, { REDIS_URL: redis.url }).ended;
      expect(code).toBe(0);
      expect(output.map((line): unknown => JSON.parse(line))).toEqual([
        { flow: "mobile_counts", part: "again", fence: expect.any(Number), resultKeys: 1 },
      ]);
      expect(await keptRows(redis.url, ["again"])).toEqual([[]]);
    }
  });
});

describe("a Redis that others write to", () => {
  /** Of the one window that all events are in. */
  const LENGTH_MS = 10_000 * 86_400_000;
  const OPEN = Math.floor(Date.now() / LENGTH_MS) * LENGTH_MS;

  test("with a row's key in use stops the run before it commits, and the next run is exact", async () => {
    const stream = ["--transport=stream", "--channel=occupied"];
    const counting = [...stream, "--sink=redis", "--window=tumbling:10000d"];
    const key = `millrace:{occupied}:mobile_counts:results:out:${OPEN}`;
    await addLines(redis.url, "occupied", SOME);
    await withRedis(redis.url, (client) => client.set(key, "theirs"));
    const first = await aggregator(redis.url, [...counting, "--exit-when-idle=300ms"]).ended;
    expect(first.code).toBe(1);
    expect(first.log.at(-1)).toMatchObject({ code: "MILLRACE_STORE_KEY_OCCUPIED" });
    await withRedis(redis.url, (client) => client.del(key));
    expect((await aggregator(redis.url, [...counting, "--exit-when-idle=300ms"]).ended).code).toBe(0);
    const [rows = []] = await keptRows(redis.url, ["occupied"]);
    expect(sumsOf(rows)).toEqual(EXPECTED_OF_SOME);
  });

  test("with a window's state deleted refuses the next run, and works again after a reset", async () => {
    const stream = ["--transport=stream", "--channel=evicted"];
    const counting = [...stream, "--sink=redis", "--window=tumbling:10000d"];
    await addLines(redis.url, "evicted", SOME);
    const first = aggregator(redis.url, counting);
    await withRedis(redis.url, async (client) => {
      const windows = () => client.keys("millrace:{evicted}:*:group:windows.mobile/[0-9]*");
      await eventually(async () => (await windows()).length > 0);
      first.kill("SIGTERM");
      expect((await first.ended).code).toBe(0);
      await client.del(...(await windows()));
    });
    const second = await aggregator(redis.url, counting).ended;
    expect(second.code).toBe(1);
    expect(second.log.at(-1)).toMatchObject({ code: "MILLRACE_STORE_STATE_INCOMPLETE" });

    const reset = await aggregatorCommand(["reset", "--channel=evicted"], { REDIS_URL: redis.url }).ended;
    expect(reset.code).toBe(0);
    expect((await aggregator(redis.url, [...counting, "--exit-when-idle=300ms"]).ended).code).toBe(0);
    const [rows = []] = await keptRows(redis.url, ["evicted"]);
    expect(sumsOf(rows)).toEqual(EXPECTED_OF_SOME);
  });
});

describe("over Pub/Sub", () => {
  test("frames show which windows are complete, and when their events were published", async () => {
    const args = ["--channel=framed", "--flow=audience", "--clock=publish:100ms", "--window=tumbling:200ms"];
    const counting = aggregator(redis.url, [...args, "--exit-when-idle=500ms"]);
    const publishing = publisher(redis.url, EVENTS, ["--channel=framed", "--batch=100", "--rate=12000"]);
    expect((await publishing.ended).code).toBe(0);
    const { code, output } = await counting.ended;
    expect(code).toBe(0);
    const rows = output.map((line) => JSON.parse(line) as Record<string, number | string | boolean>);
    expect(rows.reduce((sum, row) => sum + Number(row["events"]), 0)).toBe(LINES.length);
    // Nothing is known of the last window: the publisher went while it was open.
    const windows = new Map(rows.map(({ window, complete }) => [JSON.stringify(window), complete]));
    expect([...windows.values()].slice(0, 3)).toEqual([true, true, true]);
    expect([...windows.values()].every((complete) => complete === true || complete === "unknown")).toBe(true);
    expect(await counting.logged("report")).toMatchObject({ late: 0, refused: 0, lost: 0, unaccounted: 0 });
  });

  test("sharded, partitions are read in parallel", async () => {
    const args = ["--transport=sharded", "--channel=shards", "--partitions=3"];
    const counting = aggregator(redis.url, [...args, "--window=tumbling:10000d", "--exit-when-idle=500ms"]);
    const publishing = publisher(redis.url, EVENTS, args);
    expect((await publishing.ended).code).toBe(0);
    const { code, output } = await counting.ended;
    expect(code).toBe(0);
    const rows = output.map((line) => JSON.parse(line) as { timezone: string; num_mobile_users: number });
    expect(new Map(rows.map((row) => [row.timezone, row.num_mobile_users]))).toEqual(EXPECTED);
    expect(rows).toHaveLength(EXPECTED.size);
    expect(await publishing.logged("report")).toMatchObject({ published: LINES.length, unheard: 0 });
  });
});
