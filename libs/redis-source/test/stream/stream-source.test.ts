import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import {
  DEFAULT_STREAM_SOURCE_OPTIONS,
  RedisOptionsError,
  RedisPositionError,
  RedisRefusedError,
  RedisStreamSource,
} from "@millrace/redis-source";
import type { RedisStreamSourceOptions, StreamPartition } from "@millrace/redis-source";
import { partContext } from "../support/part-context.ts";
import { StreamBench, lines } from "../support/stream-bench.ts";
import { take, takeAll } from "../support/take.ts";

let bench: StreamBench;

beforeAll(async () => {
  bench = await StreamBench.start();
});

afterEach(() => bench.tidy());

afterAll(() => bench.stop());

async function batch(partition: StreamPartition): Promise<{ events: unknown[]; times: number[] }> {
  const next = await partition.nextBatch();
  if (next.kind === "end") throw new Error("the input ended");
  return { events: [...next.events], times: [...(next.times ?? [])] };
}

it("reads a backlog with a few commands, each for many entries", async () => {
  await bench.add("backlog", lines(0, 5_000));
  const partition = await bench.read("backlog");
  await bench.redis.config("RESETSTAT");
  expect(await take(partition, 5_000)).toHaveLength(5_000);
  const stats = await bench.redis.info("commandstats");
  // The first reads find out how large entries are.
  expect(Number(/cmdstat_xread:calls=(\d+)/.exec(stats)?.[1])).toBeLessThanOrEqual(8);
});

describe("options", () => {
  it.each<[string, Partial<RedisStreamSourceOptions>]>([
    ["no name", { stream: "" }],
    ["no partition", { partitions: 0 }],
    ["a start that is nowhere", { start: "yesterday" }],
    ["half an id", { start: "123" }],
    ["batches without end", { maxBatchEvents: Infinity }],
    ["a read that never waits", { blockMs: 0 }],
    ["a group without a name", { group: "" }],
    ["trimming what others may need", { trim: true }],
  ])("refuses %s", (_, options) => {
    expect(() => new RedisStreamSource({}, { stream: "s", ...options })).toThrow(RedisOptionsError);
  });

  it("treats an undefined option as not given", () => {
    const options = Object.fromEntries(
      Object.keys(DEFAULT_STREAM_SOURCE_OPTIONS).map((name) => [name, undefined]),
    );
    expect(() => new RedisStreamSource({}, { stream: "s", ...options })).not.toThrow();
  });

  it("names its partitions and the field that they are divided by", async () => {
    expect(await new RedisStreamSource({}, { stream: "s" }).listParts()).toEqual(["s"]);
    const two = new RedisStreamSource({}, { stream: "s", partitions: 2, partitionedBy: "zone" });
    expect(await two.listParts()).toEqual(["{s:0}", "{s:1}"]);
    expect(two.partitioning).toEqual({ kind: "by", field: "zone" });
  });

  it("opens only its own streams", async () => {
    const source = new RedisStreamSource({ url: bench.server.url }, { stream: "s" });
    await expect(source.buildPart("t", undefined, partContext())).rejects.toBeInstanceOf(RedisOptionsError);
  });
});

describe("a long stream", () => {
  it("causes a warning at the start and once an hour, with the remedy", async () => {
    await bench.add("long", lines(0, 11));
    const time = new VirtualTime(1_000_000);
    const context = partContext(time);
    const partition = await bench.read("long", { warnAboveEntries: 10, maxBatchEvents: 1 }, { context });
    await take(partition, 3);
    expect(context.logger.of("stream-long")).toEqual([
      expect.objectContaining({ level: "warn", message: expect.stringMatching(/has 11 entries.*--trim/) }),
    ]);
    time.set(time.now() + 3_600_000);
    await take(partition, 3);
    expect(context.logger.of("stream-long")).toHaveLength(2);
  });

  it("causes no warning below the limit, or if this task trims", async () => {
    await bench.add("short", lines(0, 10));
    const contexts = [partContext(), partContext()] as const;
    const [context, trimming] = contexts;
    await take(await bench.read("short", { warnAboveEntries: 10 }, { context }), 10);
    const trim = { warnAboveEntries: 5, group: "mine", trim: true };
    await take(await bench.read("short", trim, { context: trimming }), 10);
    expect(contexts.flatMap(({ logger }) => logger.of("stream-long"))).toEqual([]);
  });
});

describe("opening, also at a stored position, is refused", () => {
  const ledger = { producers: [], losses: [], bareAt: null, interruptedAt: null, forgottenUntil: null };
  const position = { id: "1-0", entries: 1, ledger };

  it("for a key of another type", async () => {
    await bench.redis.set("text", "not a stream");
    const source = new RedisStreamSource({ url: bench.server.url }, { stream: "text" });
    await expect(source.buildPart("text", position, partContext())).rejects.toThrow(/WRONGTYPE/);
  });

  it("for a user who may not read it", async () => {
    await bench.add("closed", lines(0, 1));
    await bench.redis.acl("SETUSER", "ana", "on", ">pw", "~*", "+@all", "-xread");
    const { host, port } = bench.server;
    const source = new RedisStreamSource(
      { host, port, username: "ana", password: "pw" },
      { stream: "closed" },
    );
    await expect(source.buildPart("closed", position, partContext())).rejects.toBeInstanceOf(
      RedisRefusedError,
    );
  });
});

describe("where it begins", () => {
  it("begins with the first entry by default", async () => {
    await bench.add("starts", lines(0, 5));
    expect(await take(await bench.read("starts"), 5)).toEqual(lines(0, 5));
    expect(await take(await bench.read("starts", { start: "earliest" }), 5)).toEqual(lines(0, 5));
  });

  it("begins after the last entry with latest", async () => {
    await bench.add("latest", lines(0, 5));
    const partition = await bench.read("latest", { start: "latest" });
    expect(await partition.drained()).toBeDefined();
    await bench.add("latest", lines(5, 7));
    expect(await take(partition, 2)).toEqual(lines(5, 7));
  });

  it("begins after the entry of a given id", async () => {
    const ids = await bench.add("named", lines(0, 5));
    const partition = await bench.read("named", { start: ids[2] ?? "" });
    expect(await take(partition, 2)).toEqual(lines(3, 5));
  });

  it("continues after the commit, wherever a new task would begin", async () => {
    await bench.add("resumed", lines(0, 5));
    const partition = await bench.read("resumed", { maxBatchEvents: 2 });
    await partition.nextBatch();
    const again = await bench.read("resumed", { start: "latest" }, { resume: partition.snapshot() });
    expect(await take(again, 3)).toEqual(lines(2, 5));
  });

  it.each([null, 7, "1-0", { id: 1 }, { id: "x", entries: 1 }, { id: "1-0", entries: "all" }])(
    "refuses %j as a position",
    async (resume) => {
      await expect(bench.read("positions", {}, { resume })).rejects.toBeInstanceOf(RedisPositionError);
    },
  );
});

describe("reading", () => {
  it("waits for a stream that does not exist yet", async () => {
    const partition = await bench.read("unborn");
    expect(await partition.drained()).toBeDefined();
    const next = take(partition, 1);
    await bench.waiting("unborn");
    await bench.add("unborn", ["first"]);
    expect(await next).toEqual(["first"]);
  });

  it("resumes at every position, and reads everything once", async () => {
    await bench.add("every", lines(0, 30));
    for (let size = 1; size <= 30; size += 7) {
      const seen: string[] = [];
      let resume: ReturnType<StreamPartition["snapshot"]> | undefined;
      while (seen.length < 30) {
        const partition = await bench.read("every", { maxBatchEvents: size }, { resume });
        seen.push(...(await batch(partition)).events.map(String));
        resume = partition.snapshot();
        expect(resume).toMatchObject({ entries: seen.length });
      }
      expect(seen).toEqual(lines(0, 30));
    }
  });

  it("has the time when each entry was added", async () => {
    await bench.redis.xadd("times", "1700000000123-4", "data", "a\nb");
    await bench.redis.xadd("times", "1700000000200-0", "data", "c");
    expect(await batch(await bench.read("times"))).toEqual({
      events: ["a", "b", "c"],
      times: [1_700_000_000_123, 1_700_000_000_123, 1_700_000_000_200],
    });
  });

  it("leaves bytes that are no text as bytes, and finds the message among other fields", async () => {
    await bench.redis.xadd("bytes", "*", "a", "1", "data", Buffer.from([0xc3, 0x28]), "z", "2");
    await bench.redis.xadd("bytes", "*", "data", "Zürich");
    expect((await batch(await bench.read("bytes"))).events).toEqual([new Uint8Array([0xc3, 0x28]), "Zürich"]);
  });

  it("rejects an entry without a message, and continues", async () => {
    const rejected: [string, string][] = [];
    const context = {
      ...partContext(),
      reject(payload: string | Uint8Array, { code }: { readonly code: string }) {
        rejected.push([Buffer.from(payload).toString(), code]);
      },
    };
    await bench.redis.xadd("strange", "*", "user", "7");
    await bench.add("strange", ["a"]);
    const partition = await bench.read("strange", {}, { context });
    expect(await take(partition, 1)).toEqual(["a"]);
    expect(rejected).toEqual([["user 7 ", "no-data-field"]]);
    expect(partition.stats()).toMatchObject({ read: 1, entries: 2, malformed: 1, lostEntries: 0 });
  });

  it("keeps batches within their limits once it knows the size of the entries", async () => {
    await bench.add(
      "bounds",
      Array.from({ length: 40 }, () => "x\n".repeat(100)),
    );
    const byEvents = await bench.read("bounds", { maxBatchEvents: 500 });
    await byEvents.nextBatch();
    await bench.add(
      "bounds",
      Array.from({ length: 40 }, () => "x\n".repeat(100)),
    );
    expect((await batch(byEvents)).events).toHaveLength(500);
    const byBytes = await bench.read("bounds", { maxBatchBytes: 2_000 });
    await byBytes.nextBatch();
    expect((await batch(byBytes)).events).toHaveLength(1_000);
  });

  it("asks for more step by step: large entries may follow small ones", async () => {
    await bench.add("growth", lines(0, 3_000));
    const partition = await bench.read("growth");
    const sizes: number[] = [];
    for (let read = 0; read < 3_000; read += sizes.at(-1) ?? 0) {
      sizes.push((await batch(partition)).events.length);
    }
    expect(sizes.slice(0, 3)).toEqual([64, 256, 1_024]);
  });

  it("counts what it has read and what is left", async () => {
    await bench.add("counts", lines(0, 100));
    const partition = await bench.read("counts", { maxBatchEvents: 30 });
    expect(partition.stats().lag).toBe(100);
    await partition.nextBatch();
    expect(partition.stats()).toEqual({
      read: 30,
      duplicates: 0,
      possibleDuplicates: 0,
      suspicious: 0,
      lost: 0,
      queued: 0,
      entries: 30,
      lostEntries: 0,
      malformed: 0,
      lag: 70,
      trimmed: 0,
      abandonedGroups: 0,
      disconnects: 0,
      connected: true,
      reconnects: 0,
      entriesBehind: 70,
    });
    await take(partition, 70);
    expect(partition.stats()).toMatchObject({ lag: 0, entriesBehind: 0 });
  });

  it("has no number of entries to come while one of them is deleted, and has the true one after a trim", async () => {
    const ids = await bench.add("holes", lines(0, 100));
    const partition = await bench.read("holes", { maxBatchEvents: 10 });
    await take(partition, 10);
    await bench.redis.xdel("holes", ids[49] ?? "");
    await take(partition, 10);
    // As Redis, which reports no lag of a group then.
    expect(partition.stats().entriesBehind).toBeUndefined();
    await bench.redis.xtrim("holes", "MAXLEN", 30);
    await take(partition, 10);
    expect(partition.stats()).toMatchObject({ entriesBehind: 20, lostEntries: 50 });
  });

  it("fails if the key has another type", async () => {
    await bench.redis.set("text", "no stream");
    await expect(bench.read("text")).rejects.toBeInstanceOf(RedisRefusedError);
  });
});

describe("drained", () => {
  it("proves that nothing was left when it asked, while a read waits", async () => {
    const partition = await bench.read("drained");
    const next = partition.nextBatch();
    await bench.waiting("drained");
    const before = Date.now();
    const proof = await partition.drained();
    expect(proof?.at).toBeGreaterThanOrEqual(before);
    expect(proof?.at).toBeLessThanOrEqual(Date.now());
    await bench.add("drained", ["a"]);
    await next;
    expect((await partition.drained())?.connection).toBe(proof?.connection);
  });

  it("proves nothing while entries have not been delivered", async () => {
    const partition = await bench.read("behind", { maxBatchEvents: 1 });
    await bench.add("behind", ["a", "b"]);
    expect(await partition.drained()).toBeUndefined();
    await partition.nextBatch();
    expect(await partition.drained()).toBeUndefined();
    await partition.nextBatch();
    expect(await partition.drained()).toBeDefined();
  });

  it("never overlooks an entry that Redis had before the probe", async () => {
    const partition = await bench.read("race");
    let delivered = 0;
    for (let added = 1; added <= 50; added += 1) {
      const next = partition.nextBatch().then(() => {
        delivered += 1;
      });
      // The probe and the entry race; the entry's id shows which was first.
      const adding = bench.add("race", [`${added}`]);
      const proof = await partition.drained();
      const [id = ""] = await adding;
      if (proof !== undefined && delivered < added)
        expect(Number.parseInt(id, 10)).toBeGreaterThanOrEqual(proof.at);
      await next;
    }
    expect(delivered).toBe(50);
  });
});

describe("the end", () => {
  it("ends a blocking read at once when it is stopped, and leaves the rest in the stream", async () => {
    await bench.add("stopped", lines(0, 3));
    const partition = await bench.read("stopped", { blockMs: 60_000 });
    expect(await take(partition, 3)).toEqual(lines(0, 3));
    const rest = takeAll(partition);
    await bench.waiting("stopped");
    const position = partition.snapshot();
    partition.stop();
    expect(await rest).toEqual([]);
    expect(partition.snapshot()).toEqual(position);
  });

  it("rejects everything when closed, also while it reconnects", async () => {
    const gone = await StreamBench.start();
    const context = partContext();
    const partition = await gone.read("s", { group: "g" }, { context });
    const outstanding = [partition.nextBatch(), partition.drained()];
    await outstanding[1];
    await gone.server.kill();
    await context.logger.logged("redis-lost", 2);
    outstanding.push(partition.drained());
    await partition.committed(partition.snapshot());
    await partition.close();
    expect(await Promise.all(outstanding)).toEqual([{ kind: "end" }, expect.anything(), undefined]);
    expect(await partition.nextBatch()).toEqual({ kind: "end" });
    await gone.stop();
  });
});
