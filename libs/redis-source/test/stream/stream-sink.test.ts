import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { SinkPartition } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { RedisOptionsError, RedisStreamSink, StreamFullError, partitionOf } from "@millrace/redis-source";
import type { PublishRow, RedisStreamSinkOptions } from "@millrace/redis-source";
import { passTimeUntil } from "../support/pass-time.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { infoReply, scriptedRedis } from "../support/scripted-server.ts";
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
      unsent: 0,
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
  it("are read as they were written, and a heartbeat at the end says that this was all", async () => {
    const { part } = await write({ stream: "framed", frames: true, batch: 10, lingerMs: 0 });
    await part.writeBatch(lines(0, 25));
    await part.close();
    const headers = (await messages("framed")).map((message) =>
      message.split("\n")[0]?.split(" ").slice(2, 4).join("+"),
    );
    expect(headers).toEqual(["0+0", "0+10", "10+10", "20+5", "25+0"]);
    const partition = await bench.read("framed");
    expect(await take(partition, 25)).toEqual(lines(0, 25));
  });

  it("wait for more rows up to lingerMs, and not at a commit", async () => {
    const time = new VirtualTime(1_000);
    const { part, sink } = await write(
      { stream: "linger", frames: true, batch: 10, lingerMs: 20 },
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

  it("without rows are sent every second", async () => {
    const time = new VirtualTime(1_000);
    const { sink } = await write({ stream: "alive", frames: true }, partContext(time));
    for (let beats = 1; beats <= 3; beats += 1) {
      await until(() => sink.stats().entries === beats);
      time.set(time.now() + 1_000);
    }
  });

  it.each<readonly [form: string, rowOf: (row: string) => PublishRow]>([
    ["text", (row) => row],
    ["bytes", (row) => Buffer.from(row)],
  ])("that are sent again after a lost connection are dropped by the reader: %s", async (form, rowOf) => {
    const stream = `resent-${form}`;
    const { sink, part } = await write({
      stream,
      frames: true,
      batch: 5,
      lingerMs: 0,
      maxInFlightBytes: 10_000,
    });
    const partition = await bench.read(stream);
    const reading = take(partition, 3_200);
    let written = 0;
    for (let cuts = 0; written < 3_200; written += 400) {
      // A cut counts only if it hits the connection in use, not one that is being opened after the last cut.
      await part.flush();
      const batch = part.writeBatch(lines(written, written + 400).map(rowOf));
      if (written % 800 === 0) {
        await bench.cut(`name=millrace_sink_${stream} `);
        cuts += 1;
        await until(() => sink.stats().disconnects >= cuts);
        expect(sink.stats().disconnects).toBe(cuts);
      }
      await batch;
    }
    expect(await reading).toEqual(lines(0, 3_200));
    await part.flush();
    expect(sink.stats()).toMatchObject({ published: 3_200, disconnects: 4 });
    const { entries } = partition.stats();
    expect(partition.stats()).toMatchObject({ read: 3_200, lost: 0, lostEntries: 0 });
    expect(partition.stats().duplicates).toBeLessThanOrEqual(sink.stats().resent);
    expect(entries).toBe(await bench.redis.xlen(stream));
  });

  it("of two parts, or two runs, have different producers", async () => {
    const options = { stream: "apart", frames: true, lingerMs: 0 };
    const first = await write(options);
    await first.part.writeBatch(["a"]);
    const second = await first.sink.buildPart("1", undefined, partContext());
    parts.push(second);
    await second.writeBatch(["b"]);
    const third = await write(options);
    await third.part.writeBatch(["c"]);
    const partition = await bench.read("apart");
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

  it("fails the write with the policy fail, exactly at the limit", async () => {
    const { sink, part } = await write({ stream: "fail", maxStreamLength: 100, whenFull: "fail" });
    await part.writeBatch(lines(0, 100));
    await expect(part.writeBatch(["one more"])).rejects.toBeInstanceOf(StreamFullError);
    expect(sink.stats().published).toBe(100);
    expect(await bench.redis.xlen("fail")).toBe(100);
  });

  it("does not delay the end", async () => {
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
  it("makes rows wait until it is back", async () => {
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

  it("is not replaced when Redis is out of memory: rows wait, and the log says so once", async () => {
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

describe("rows that Redis refuses for now while it accepts the next", () => {
  it("are logged every 30 s until it accepts them", async () => {
    let full = true;
    const server = await scriptedRedis(([name = ""]) => {
      if (name === "info") return infoReply("7.0.0");
      if (name !== "xadd") return "+OK\r\n";
      return full ? "-OOM command not allowed when used memory > 'maxmemory'.\r\n" : "+1-1\r\n";
    });
    const time = new VirtualTime(Date.now());
    const { logger, ...rest } = partContext(time);
    const sink = new RedisStreamSink({ port: server.port, host: "127.0.0.1" }, { stream: "s" });
    const part = await sink.buildPart("0", undefined, { ...rest, logger });
    const written = part.writeBatch(lines(0, 1));
    const said = (): readonly string[] =>
      logger.of("redis-not-ready").map(({ message }) => message.replace(/^.*again/s, ""));
    const roundTrip = (): Promise<unknown> => new Promise(setImmediate);
    const passed = await passTimeUntil(time, roundTrip, () => said().length === 3);
    expect(passed).toBeLessThan(70_000);
    expect(said()).toEqual([
      " until it is.",
      expect.stringMatching(/, for 3\d s now\.$/),
      expect.stringMatching(/, for 6\d s now\.$/),
    ]);
    full = false;
    let over = false;
    void written.finally(() => (over = true));
    await passTimeUntil(time, roundTrip, () => over);
    await part.close();
    await server.close();
  });

  it("are the only ones that are sent again, in order", async () => {
    const taken: string[] = [];
    const refuse = new Set(["line 3", "line 4", "line 7"]);
    const server = await scriptedRedis(([name = "", ...args]) => {
      if (name === "info") return infoReply("7.0.0");
      if (name !== "xadd") return "+OK\r\n";
      const row = args.at(-1) ?? "";
      if (refuse.delete(row)) return "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
      taken.push(row);
      return "+1-1\r\n";
    });
    const sink = new RedisStreamSink({ port: server.port, host: "127.0.0.1" }, { stream: "s" });
    const part = await sink.buildPart("0", undefined, partContext());
    await part.writeBatch(lines(0, 10));
    const first = [0, 1, 2, 5, 6, 8, 9];
    expect(taken).toEqual([...first, 3, 4, 7].map((n) => `line ${n}`));
    expect(sink.stats()).toMatchObject({ published: 10, entries: 10, unsent: 0, resent: 0 });
    await part.close();
    await server.close();
  });

  it("are in the stream once each, however often memory runs out in between", async () => {
    const small = await StreamBench.start();
    const sink = new RedisStreamSink({ url: small.server.url }, { stream: "s" });
    const part = await sink.buildPart("0", undefined, partContext());
    const written = part.writeBatch(lines(0, 10_000)).then(() => true);
    for (let over = false; !over;) {
      await small.redis.config("SET", "maxmemory", "1");
      await small.redis.config("SET", "maxmemory", "0");
      over = await Promise.race([written, Promise.resolve(false)]);
    }
    const rows = (await small.redis.xrange("s", "-", "+")).map(([, fields]) => fields[1] ?? "");
    expect(rows).toHaveLength(10_000);
    expect(new Set(rows)).toEqual(new Set(lines(0, 10_000)));
    await part.close();
    await small.stop();
  });
});

describe("rows that wait for their frame", () => {
  const options = { stream: "waiting", frames: true, lingerMs: 60_000 };

  it("are sent by a flush, and given up by a close without one, which logs how many they are", async () => {
    const context = partContext();
    const { sink, part } = await write({ ...options, producer: "w" }, context);
    await part.writeBatch(["a", "b"]);
    expect(sink.stats()).toMatchObject({ published: 0, unsent: 2 });
    await part.flush();
    expect(sink.stats()).toMatchObject({ published: 2, unsent: 0 });
    await part.writeBatch(["c"]);
    await part.close();
    expect(sink.stats()).toMatchObject({ published: 2, unsent: 1 });
    expect(context.logger.of("unsent")).toMatchObject([{ level: "error", fields: { rows: 1 } }]);
    // A heartbeat after them would say that nothing is missing.
    expect((await messages("waiting")).at(-1)).toMatch(/^#millrace\/1 w\.0 0 2 \d+\na\nb$/);
  });

  it("make a flush wait until Redis is back", async () => {
    const gone = await StreamBench.start();
    const sink = new RedisStreamSink({ url: gone.server.url }, options);
    const part = await sink.buildPart("0", undefined, partContext());
    await part.writeBatch(["a"]);
    await gone.server.kill();
    const flushing = part.flush();
    await gone.server.restart();
    await flushing;
    expect(sink.stats()).toMatchObject({ published: 1, unsent: 0 });
    await part.close();
    await gone.stop();
  });

  it("make a flush fail on abort, with the reason", async () => {
    const gone = await StreamBench.start();
    const abort = new AbortController();
    const context = partContext(undefined, abort.signal);
    const sink = new RedisStreamSink({ url: gone.server.url }, options);
    const part = await sink.buildPart("0", undefined, context);
    await part.writeBatch(["a"]);
    await gone.server.kill();
    const reason = new Error("too late");
    const failed = expect(part.flush()).rejects.toBe(reason);
    await context.logger.logged("redis-lost");
    abort.abort(reason);
    await failed;
    await expect(part.writeBatch(["b"])).rejects.toBe(reason);
    await part.close();
    expect(sink.stats()).toMatchObject({ published: 0, unsent: 2 });
    await gone.stop();
  });
});
