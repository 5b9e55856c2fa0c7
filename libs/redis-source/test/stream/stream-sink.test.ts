import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { SinkPartition } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { RedisOptionsError, RedisStreamSink, StreamFullError, partitionOf } from "@millrace/redis-source";
import type { RedisStreamSinkOptions } from "@millrace/redis-source";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { FRAMES } from "../support/frames.ts";
import { StreamBench, lines } from "../support/stream-bench.ts";
import { take } from "../support/take.ts";
import { until } from "../support/until.ts";

let bench: StreamBench;
const parts: SinkPartition<string | Uint8Array>[] = [];

beforeAll(async () => {
  bench = await StreamBench.start({ args: ["--stream-node-max-entries", "10"] });
});

afterEach(async () => {
  for (const part of parts.splice(0)) await part.close();
  await bench.tidy();
});

afterAll(() => bench.stop());

async function write(
  options: RedisStreamSinkOptions,
  context: TestContext = partContext(),
): Promise<{ sink: RedisStreamSink; part: SinkPartition<string | Uint8Array> }> {
  const sink = new RedisStreamSink({ url: bench.server.url }, options);
  const part = await sink.buildPart("0", undefined, context);
  parts.push(part);
  return { sink, part };
}

/** The messages of a stream. */
async function messages(stream: string): Promise<string[]> {
  return (await bench.redis.xrange(stream, "-", "+")).map(([, fields]) => fields[1] ?? "");
}

describe("options", () => {
  it.each<[string, Partial<RedisStreamSinkOptions>]>([
    ["no name", { stream: "" }],
    ["several partitions and no key", { partitions: 2 }],
    ["nothing in flight", { maxInFlightBytes: 0 }],
    ["a stream of no length", { maxStreamLength: 0, whenFull: "trim" }],
    ["waiting with so short a stream that it may stay full", { maxStreamLength: 100 }],
    ["frames of nothing", { batch: 0 }],
  ])("refuses %s", (_, options) => {
    expect(() => new RedisStreamSink({}, { stream: "s", ...options })).toThrow(RedisOptionsError);
  });
});

describe("bare rows", () => {
  it("are entries, in order, their bytes unchanged", async () => {
    const { sink, part } = await write({ stream: "bare", maxInFlightBytes: 1_000 });
    await part.writeBatch([...lines(0, 100), Buffer.from([0xc3, 0x28])]);
    const entries = await bench.redis.xrangeBuffer("bare", "-", "+");
    expect(entries.slice(0, 100).map(([, fields]) => String(fields[1]))).toEqual(lines(0, 100));
    expect(entries[100]?.[1][1]).toEqual(Buffer.from([0xc3, 0x28]));
    const bytes = lines(0, 100).join("").length + 2;
    expect(sink.stats()).toEqual({
      published: 101,
      entries: 101,
      bytes,
      resent: 0,
      waits: 0,
      disconnects: 0,
    });
  });

  it("go to the partition of their key", async () => {
    const keyOf = (row: string | Uint8Array): string => String(row).slice(0, 1);
    const { part } = await write({ stream: "keys", partitions: 3, keyOf });
    await part.writeBatch(["a1", "b1", "c1", "a2", "b2", "c2"]);
    for (const key of ["a", "b", "c"]) {
      const there = (await messages(`{keys:${partitionOf(key, 3)}}`)).filter((row) => row.startsWith(key));
      expect(there).toEqual([`${key}1`, `${key}2`]);
    }
  });
});

describe("frames", () => {
  it("are read as they were written, and a heartbeat tells at the end that this was all", async () => {
    const { part } = await write({ stream: "framed", frames: FRAMES, batch: 10, lingerMs: 0 });
    await part.writeBatch(lines(0, 25));
    await part.close();
    const headers = (await messages("framed")).map((message) =>
      message.split("\n")[0]?.split(" ").slice(2, 4).join("+"),
    );
    expect(headers).toEqual(["0+0", "0+10", "10+10", "20+5", "25+0"]);
    const partition = await bench.read("framed", { frames: FRAMES });
    expect(await take(partition, 25)).toEqual(lines(0, 25));
  });

  it("wait for company no longer than they may, and not at a commit", async () => {
    const time = new VirtualTime(1_000);
    const { part, sink } = await write(
      { stream: "linger", frames: FRAMES, batch: 10, lingerMs: 20 },
      partContext(time),
    );
    await part.writeBatch(["a"]);
    expect(sink.stats().published).toBe(0);
    time.set(1_020);
    await until(() => sink.stats().published === 1);
    await part.writeBatch(["b"]);
    await part.flush();
    expect(sink.stats().published).toBe(2);
  });

  it("tell every second that the sink lives", async () => {
    const time = new VirtualTime(1_000);
    const { sink } = await write({ stream: "alive", frames: FRAMES }, partContext(time));
    for (let beats = 1; beats <= 3; beats += 1) {
      await until(() => sink.stats().entries === beats);
      time.set(time.now() + 1_000);
    }
  });

  it("that are sent again after a lost connection are dropped by the reader", async () => {
    const context = partContext();
    const { sink, part } = await write(
      { stream: "resent", frames: FRAMES, batch: 5, lingerMs: 0, maxInFlightBytes: 10_000 },
      context,
    );
    const partition = await bench.read("resent", { frames: FRAMES });
    const reading = take(partition, 8_000);
    let written = 0;
    for (let cuts = 0; written < 8_000; written += 1_000) {
      const batch = part.writeBatch(lines(written, written + 1_000));
      if (written % 2_000 === 0) {
        await bench.cut("name=millrace_sink_resent ");
        cuts += 1;
        await context.logger.logged("redis-back", cuts);
      }
      await batch;
    }
    expect(await reading).toEqual(lines(0, 8_000));
    expect(sink.stats()).toMatchObject({ published: 8_000, disconnects: 4 });
    const { entries } = partition.stats();
    expect(partition.stats()).toMatchObject({ read: 8_000, lost: 0, lostEntries: 0 });
    expect(partition.stats().duplicates).toBeLessThanOrEqual(sink.stats().resent);
    expect(entries).toBe(await bench.redis.xlen("resent"));
  });

  it("of two parts, or two runs, are never taken for each other", async () => {
    const options = { stream: "apart", frames: FRAMES, lingerMs: 0 };
    const first = await write(options);
    await first.part.writeBatch(["a"]);
    const second = await first.sink.buildPart("1", undefined, partContext());
    parts.push(second);
    await second.writeBatch(["b"]);
    const third = await write(options);
    await third.part.writeBatch(["c"]);
    const partition = await bench.read("apart", { frames: FRAMES });
    expect(await take(partition, 3)).toEqual(["a", "b", "c"]);
  });
});

describe("a full stream", () => {
  it("makes rows wait until a reader has committed and trimmed, and nothing is lost", async () => {
    const context = partContext();
    const { sink, part } = await write({ stream: "wait", maxStreamLength: 1_000 }, context);
    let longest = 0;
    const writing = part.writeBatch(lines(0, 5_000));
    await context.logger.logged("stream-full");
    expect(await bench.redis.xlen("wait")).toBe(1_000);
    const partition = await bench.read("wait", { group: "g", trim: true, progressEveryMs: 1 });
    for (let read = 0; read < 5_000;) {
      const batch = await partition.nextBatch();
      if (batch.kind === "batch") {
        expect(batch.events).toEqual(lines(read, read + batch.events.length));
        read += batch.events.length;
      }
      longest = Math.max(longest, await bench.redis.xlen("wait"));
      await partition.committed(partition.snapshot());
    }
    await writing;
    expect(longest).toBeLessThanOrEqual(1_000);
    expect(sink.stats()).toMatchObject({ published: 5_000, resent: 0 });
    expect(sink.stats().waits).toBeGreaterThan(0);
    expect(context.logger.of("stream-room")).toHaveLength(sink.stats().waits);
  });

  it("drops its oldest entries with the policy trim, and the reader counts them", async () => {
    const { part } = await write({ stream: "trim", maxStreamLength: 50, whenFull: "trim" });
    const partition = await bench.read("trim");
    await part.writeBatch(lines(0, 200));
    const kept = await bench.redis.xlen("trim");
    expect(kept).toBeLessThan(61);
    expect(await take(partition, kept)).toEqual(lines(200 - kept, 200));
    expect(partition.stats().lostEntries).toBe(200 - kept);
  });

  it("fails the write with the policy fail, at the bound exactly", async () => {
    const { sink, part } = await write({ stream: "fail", maxStreamLength: 100, whenFull: "fail" });
    await part.writeBatch(lines(0, 100));
    await expect(part.writeBatch(["one more"])).rejects.toBeInstanceOf(StreamFullError);
    expect(sink.stats().published).toBe(100);
    expect(await bench.redis.xlen("fail")).toBe(100);
  });

  it("does not hold up the end", async () => {
    const context = partContext();
    const { part } = await write({ stream: "stuck", maxStreamLength: 1_000 }, context);
    const writing = part.writeBatch(lines(0, 1_001));
    await context.logger.logged("stream-full");
    const failed = expect(writing).rejects.toMatchObject({ code: "MILLRACE_REDIS_CLOSED" });
    await part.close();
    await failed;
  });
});

describe("a connection that is lost", () => {
  it("holds rows up until it is back", async () => {
    const gone = await StreamBench.start();
    const context = partContext();
    const sink = new RedisStreamSink({ url: gone.server.url }, { stream: "s" });
    const part = await sink.buildPart("0", undefined, context);
    await gone.server.kill();
    await context.logger.logged("redis-lost");
    const writing = part.writeBatch(["a"]);
    await gone.server.restart();
    await writing;
    expect(await gone.redis.xlen("s")).toBe(1);
    await gone.server.kill();
    await part.close();
    await part.close();
    await gone.stop();
  });

  it("is not what a Redis without memory needs: rows wait on the one there is, and the log says so once", async () => {
    const small = await StreamBench.start();
    const context = partContext();
    const sink = new RedisStreamSink({ url: small.server.url }, { stream: "s" });
    const part = await sink.buildPart("0", undefined, context);
    await small.redis.config("SET", "maxmemory", "1");
    const writing = part.writeBatch(["a"]);
    await context.logger.logged("redis-not-ready");
    await small.redis.config("SET", "maxmemory", "0");
    await writing;
    expect(sink.stats()).toMatchObject({ published: 1, disconnects: 0 });
    expect(context.logger.of("redis-not-ready")).toHaveLength(1);
    await part.close();
    await small.stop();
  });
});
