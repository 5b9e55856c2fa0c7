import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { StreamPartition } from "@millrace/redis-source";
import { partContext } from "../support/part-context.ts";
import { frameOf } from "../support/frames.ts";
import { StreamBench, lines } from "../support/stream-bench.ts";
import { stored } from "../support/stored.ts";
import { take, takeAll } from "../support/take.ts";

let bench: StreamBench;

beforeAll(async () => {
  bench = await StreamBench.start();
});

afterEach(() => bench.tidy());

afterAll(() => bench.stop());

/** Reads until nothing is left; the last check has counted what was lost. */
async function readAll(partition: StreamPartition): Promise<string[]> {
  const events: string[] = [];
  while ((await partition.drained()) === undefined) {
    const batch = await partition.nextBatch();
    if (batch.kind === "batch") events.push(...batch.events.map(String));
  }
  return events;
}

/** Lets a read start to wait, which it does only after a check of the empty rest, and ends it. */
async function settle(stream: string, partition: StreamPartition): Promise<void> {
  const rest = takeAll(partition);
  await bench.waiting(stream);
  partition.stop();
  await rest;
}

describe("frames", () => {
  it("become events with the publish time of their frame; bare lines are accepted as well", async () => {
    await bench.add("frames", [frameOf(0, ["a", "b"], { publishedAtMs: 77 })]);
    await bench.redis.xadd("frames", "9900000000000-0", "data", "bare");
    const partition = await bench.read("frames");
    expect(await partition.nextBatch()).toEqual({
      kind: "batch",
      events: ["a", "b", "bare"],
      times: [77, 77, 9_900_000_000_000],
    });
  });

  it("have the time of their arrival if their publish time is in the future", async () => {
    const context = partContext();
    await bench.redis.xadd(
      "future",
      "5000-0",
      "data",
      frameOf(0, ["a"], { publishedAtMs: 4_102_444_800_000 }),
    );
    await bench.redis.xadd("future", "6000-0", "data", frameOf(2 ** 50, ["b"], { publishedAtMs: 5_900 }));
    await bench.redis.xadd("future", "7000-0", "data", frameOf(1, ["c"], { publishedAtMs: 6_900 }));
    const partition = await bench.read("future", {}, { context });
    expect(await partition.nextBatch()).toMatchObject({
      events: ["a", "b", "c"],
      times: [5_000, 5_900, 6_900],
    });
    expect(partition.stats()).toMatchObject({ suspicious: 2, lost: 0, duplicates: 0 });
    expect(context.logger.of("suspicious")).toMatchObject([{ level: "warn", fields: { producer: "p" } }]);
  });

  it("without lines move the position, though they have no event", async () => {
    await bench.add("beats", [frameOf(0, [])]);
    const partition = await bench.read("beats");
    expect(await partition.nextBatch()).toEqual({ kind: "batch", events: [] });
    expect(partition.snapshot()).toMatchObject({ entries: 1 });
  });

  it("that cannot be read are rejected, and missed by their numbers", async () => {
    const reasons: string[] = [];
    const context = {
      ...partContext(),
      reject(_payload: unknown, { code }: { readonly code: string }) {
        reasons.push(code);
      },
    };
    await bench.add("broken", [frameOf(0, ["a"]), "#millrace/1 nonsense\nb", frameOf(2, ["c"])]);
    const partition = await bench.read("broken", {}, { context });
    expect(await take(partition, 2)).toEqual(["a", "c"]);
    expect(reasons).toEqual(["bad-header"]);
    expect(partition.stats()).toMatchObject({ malformed: 1, lost: 1, lostEntries: 0 });
  });

  it("that a producer sent again are dropped, whole or in part", async () => {
    const sent = [
      frameOf(0, ["a", "b"]),
      frameOf(0, ["a", "b"]),
      frameOf(1, ["b", "c", "d"]),
      frameOf(0, ["x"], { producer: "q" }),
    ];
    await bench.add("twice", sent);
    const partition = await bench.read("twice");
    expect(await take(partition, 5)).toEqual(["a", "b", "c", "d", "x"]);
    expect(partition.stats()).toMatchObject({ read: 5, duplicates: 3, lost: 0 });
  });

  it("that were sent again are recognised after a resume, at every position", async () => {
    const numbers = [0, 1, 0, 2, 2, 1, 3, 4, 4, 5];
    await bench.add(
      "again",
      numbers.map((n) => frameOf(n, [`${n}`])),
    );
    for (let size = 1; size <= numbers.length; size += 1) {
      const first = await bench.read("again", { maxBatchEvents: size });
      const batch = await first.nextBatch();
      const head = batch.kind === "batch" ? batch.events : [];
      const second = await bench.read("again", {}, { resume: stored(first.snapshot()) });
      expect([...head, ...(await readAll(second))]).toEqual(["0", "1", "2", "3", "4", "5"]);
      expect(first.stats().duplicates + second.stats().duplicates).toBe(4);
    }
  });
});

describe("entries that are deleted before they are read", () => {
  it("are counted exactly, each as an event if nothing is numbered", async () => {
    const context = partContext();
    await bench.add("trimmed", lines(0, 50));
    const partition = await bench.read("trimmed", { maxBatchEvents: 10 }, { context });
    expect(await take(partition, 10)).toEqual(lines(0, 10));
    await bench.redis.xtrim("trimmed", "MAXLEN", 25);
    expect(await readAll(partition)).toEqual(lines(25, 50));
    expect(partition.stats()).toMatchObject({ read: 35, lost: 15, lostEntries: 15, lag: 0 });
    expect(context.logger.of("trimmed-before-read")).toHaveLength(1);
  });

  it("are counted by their numbers if they have some, and make windows incomplete", async () => {
    const at = (publishedAtMs: number): { publishedAtMs: number } => ({ publishedAtMs });
    await bench.add("numbered", [
      frameOf(0, ["a", "b"], at(1_000)),
      frameOf(2, ["c", "d", "e"], at(2_000)),
      frameOf(5, ["f"], at(3_000)),
      frameOf(6, ["g"], at(4_000)),
      frameOf(7, [], at(5_000)),
    ]);
    const partition = await bench.read("numbered", { maxBatchEvents: 1 });
    await take(partition, 2);
    expect(partition.completeness(0, 1_000)).toBe(true);
    await bench.redis.xtrim("numbered", "MAXLEN", 2);
    expect(await readAll(partition)).toEqual(["g"]);
    expect(partition.stats()).toMatchObject({ lostEntries: 2, lost: 4 });
    expect(partition.completeness(0, 1_000)).toBe(true);
    expect(partition.completeness(1_000, 4_000)).toEqual({ atLeast: 0, atMost: 4 });
    expect(partition.completeness(1_000, 4_001)).toEqual({ atLeast: 4, atMost: 4 });
  });

  it("may have been the last of a producer: windows around it are unknown, though the producer is silent", async () => {
    const options = { ledger: { silentAfterMs: 10_000 }, maxBatchEvents: 1 };
    const add = (id: string, message: string): Promise<string | null> =>
      bench.redis.xadd("silent", id, "data", message);
    await add("1000-0", frameOf(0, ["a"], { producer: "p", publishedAtMs: 1_000 }));
    await add("1000-1", frameOf(0, ["b"], { producer: "q", publishedAtMs: 1_000 }));
    const partition = await bench.read("silent", options);
    await take(partition, 2);
    await add("20000-0", frameOf(1, ["c"], { producer: "p", publishedAtMs: 20_000 }));
    await bench.redis.xtrim("silent", "MAXLEN", 0);
    await add("50000-0", frameOf(1, ["d"], { producer: "q", publishedAtMs: 50_000 }));
    await take(partition, 1);
    expect(partition.completeness(30_000, 40_000)).toBe("unknown");
  });

  it("are counted by a task that resumes", async () => {
    await bench.add("absence", lines(0, 20));
    const first = await bench.read("absence", { maxBatchEvents: 5 });
    await take(first, 5);
    const resume = first.snapshot();
    await first.close();
    await bench.add("absence", lines(20, 30));
    await bench.redis.xtrim("absence", "MAXLEN", 0);
    await bench.add("absence", ["last"]);
    const second = await bench.read("absence", {}, { resume });
    expect(await take(second, 1)).toEqual(["last"]);
    expect(second.stats().lostEntries).toBe(25);
  });

  it("are at least those that were seen, when the stream is deleted before it was read", async () => {
    const context = partContext();
    await bench.add("deleted", lines(0, 3_000));
    const partition = await bench.read("deleted", { maxBatchEvents: 100 }, { context });
    const read = await take(partition, 100);
    await bench.redis.del("deleted");
    await bench.add("deleted", ["new 1", "new 2"]);
    expect(await take(partition, 2)).toEqual(["new 1", "new 2"]);
    expect(partition.stats()).toMatchObject({
      read: read.length + 2,
      lost: 3_000 - read.length,
      lostEntries: 3_000 - read.length,
      lag: 0,
    });
    expect(partition.snapshot()).toMatchObject({ entries: 2 });
    expect(context.logger.of("stream-reset")).toMatchObject([
      { level: "warn", fields: { lostEntries: 3_000 - read.length } },
    ]);
  });

  it("are counted by a task that resumes after the stream was deleted, also if the new one is longer", async () => {
    for (const added of [1, 500]) {
      const stream = `recreated ${added}`;
      await bench.add(stream, lines(0, 300));
      const first = await bench.read(stream, { maxBatchEvents: 10 });
      await take(first, 10);
      const resume = stored(first.snapshot());
      await first.close();
      await bench.redis.del(stream);
      await bench.add(stream, lines(1_000, 1_000 + added));
      const second = await bench.read(stream, {}, { resume });
      expect(await take(second, added)).toEqual(lines(1_000, 1_000 + added));
      expect(second.stats()).toMatchObject({ read: added, lost: 290, lostEntries: 290, lag: 0 });
    }
  });

  it("are counted when the stream is deleted and does not come back", async () => {
    await bench.add("gone", lines(0, 300));
    const partition = await bench.read("gone", { maxBatchEvents: 10 });
    await take(partition, 10);
    await bench.redis.del("gone");
    await settle("gone", partition);
    expect(partition.stats()).toMatchObject({ lost: 290, lostEntries: 290, lag: 0 });
  });

  it("are counted by their numbers if they have some, also when the stream was deleted", async () => {
    await bench.add(
      "cut",
      Array.from({ length: 30 }, (_, n) => frameOf(n, [`${n}`])),
    );
    const partition = await bench.read("cut", { maxBatchEvents: 10 });
    await take(partition, 10);
    await bench.redis.del("cut");
    await settle("cut", partition);
    expect(partition.stats()).toMatchObject({ lostEntries: 20, lost: 0, uncertainSince: 1_000 });
    const again = await bench.read("cut", {}, { resume: stored(partition.snapshot()) });
    await bench.add("cut", [frameOf(30, ["30"])]);
    expect(await take(again, 1)).toEqual(["30"]);
    expect(again.stats()).toMatchObject({ lostEntries: 0, lost: 20 });
    expect(again.stats().uncertainSince).toBeUndefined();
  });

  it("do not count if they were trimmed before the task began", async () => {
    await bench.add("before", lines(0, 20));
    await bench.redis.xtrim("before", "MAXLEN", 5);
    const partition = await bench.read("before");
    expect(await take(partition, 5)).toEqual(lines(15, 20));
    expect(partition.snapshot()).toMatchObject({ entries: 20 });
    expect(partition.stats().lostEntries).toBe(0);
  });

  it("are counted whatever is added, trimmed, deleted and read in which order, exactly unless the stream itself goes", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("add" as const), n: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ kind: fc.constant("trim" as const), n: fc.integer({ min: 0, max: 12 }) }),
      fc.record({ kind: fc.constant("delete" as const), n: fc.nat(20) }),
      fc.record({ kind: fc.constant("drop" as const), n: fc.constant(0) }),
      fc.record({ kind: fc.constant("read" as const), n: fc.integer({ min: 1, max: 5 }) }),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        run += 1;
        const stream = `any-${run}`;
        const partition = await bench.read(stream, { maxBatchEvents: 1, maxBatchBytes: 1 });
        let added = 0;
        let dropped = false;
        const read: string[] = [];
        for (const { kind, n } of steps) {
          if (kind === "add") {
            await bench.add(stream, lines(added, added + n));
            added += n;
          } else if (kind === "drop") {
            dropped = true;
            await bench.redis.del(stream);
          } else if (kind === "trim") await bench.redis.xtrim(stream, "MAXLEN", n);
          else if (kind === "delete") {
            const [id] = (await bench.redis.xrange(stream, "-", "+"))[n] ?? [];
            if (id !== undefined) await bench.redis.xdel(stream, id);
          } else {
            for (let i = 0; i < n && (await partition.drained()) === undefined; i += 1)
              read.push(...(await take(partition, 1)).map(String));
          }
        }
        read.push(...(await readAll(partition)));
        await settle(stream, partition);
        expect(new Set(read).size).toBe(read.length);
        const { lostEntries } = partition.stats();
        expect(partition.stats()).toMatchObject({ read: read.length, lag: 0 });
        expect(lostEntries).toBeGreaterThanOrEqual(0);
        expect(lostEntries).toBeLessThanOrEqual(added - read.length);
        if (!dropped) expect(lostEntries).toBe(added - read.length);
      }),
      { numRuns: 50 },
    );
  });
});
