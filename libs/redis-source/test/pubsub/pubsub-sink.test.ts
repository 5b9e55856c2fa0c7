import { beforeAll, describe, expect, it } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import { ProducerLedger, decodeFrame } from "@millrace/redis-source";
import type { PublishRow } from "@millrace/redis-source";
import { RedisClosedError, RedisOptionsError, RedisRefusedError } from "../../src/errors.ts";
import { RedisPubSubSink } from "../../src/pubsub/pubsub-sink.ts";
import { headerOf } from "../support/frames.ts";
import { partContext } from "../support/part-context.ts";
import { infoReply, scriptedRedis } from "../support/scripted-server.ts";
import { rows, sinkBench } from "../support/sink-bench.ts";
import type { User } from "../support/sink-bench.ts";

const bench = sinkBench();

describe.each([
  ["by scripts", ["+publish", "+eval"]],
  ["in pipelines, for a user who may not run scripts", ["+publish"]],
])("publishing %s", (_way, rights) => {
  let user: User;

  beforeAll(async () => {
    user = await bench.user("publisher", ...rights);
  });

  it("publishes each row as a message, in order, and counts them when Redis has answered", async () => {
    const { all, caughtUp } = await bench.listen();
    const progress: number[] = [];
    const { sink, part } = await bench.open(
      {
        maxInFlightBytes: 10_000,
        onProgress: ({ published }) => progress.push(published),
      },
      { user },
    );
    const sent = rows(2_000);
    await part.writeBatch(sent);
    await caughtUp();
    expect(all.map(String)).toEqual(sent);
    expect(sink.stats()).toEqual({
      published: 2_000,
      bytes: sent.join("").length,
      unheard: 0,
      resent: 0,
      unsent: 0,
      disconnects: 0,
    });
    expect(progress.length).toBeGreaterThan(10);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(2_000);
  });

  it("changes no byte", async () => {
    const { all, caughtUp } = await bench.listen();
    const { sink, part } = await bench.open({}, { user });
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    const sent = [every, "", new Uint8Array(0), "Zürich\r\n*1\r\n", every.subarray(100, 160), "🏙️"];
    await part.writeBatch(sent);
    await caughtUp();
    expect(all.map((message) => message.toString("hex"))).toEqual(
      sent.map((row) => Buffer.from(row).toString("hex")),
    );
    expect(sink.stats().bytes).toBe(all.reduce((sum, message) => sum + message.length, 0));
  });

  it("counts rows without a subscriber", async () => {
    const { sink, part } = await bench.open({}, { user });
    await part.writeBatch(rows(30));
    const { caughtUp } = await bench.listen();
    await part.writeBatch(rows(12));
    await caughtUp();
    expect(sink.stats()).toMatchObject({ published: 42, unheard: 30 });
  });

  it("adds up its partitions", async () => {
    const { sink, part } = await bench.open({}, { user });
    const other = await sink.buildPart("1", undefined, partContext());
    await Promise.all([part.writeBatch(rows(3)), other.writeBatch(rows(4))]);
    await other.close();
    expect(sink.stats()).toMatchObject({ published: 7 });
  });

  it("continues after a lost connection with the first unanswered row and leaves none out", async () => {
    const { all, caughtUp } = await bench.listen();
    let cuts = 0;
    const { sink, part } = await bench.open(
      {
        maxInFlightBytes: 20_000,
        onProgress: ({ published }) => {
          if (published < 5_000 * (cuts + 1) || cuts === 3) return;
          cuts += 1;
          void bench.control.client("KILL", "TYPE", "normal", "SKIPME", "yes");
        },
      },
      { user },
    );
    const sent = rows(30_000);
    await part.writeBatch(sent);
    await caughtUp();
    const { published, resent, disconnects } = sink.stats();
    expect([published, disconnects]).toEqual([30_000, 3]);
    // Rows come in order, except for repetitions: without these it is exactly what was sent.
    const heard = all.map(String);
    expect([...new Set(heard)]).toEqual(sent);
    expect(heard.length).toBeLessThanOrEqual(sent.length + resent);
  });
});

describe("backpressure", () => {
  it.each(["script", "pipeline"])(
    "by %s has no more bytes without answer than allowed, and uses what is allowed",
    async (way) => {
      let pending = 0;
      let most = 0;
      const slow = await scriptedRedis(([name = "", ...args], socket) => {
        if (name === "info") return infoReply("7.0.0");
        if (name === "eval" && way === "pipeline") return "-NOPERM no scripts here\r\n";
        if (name !== "publish" && name !== "eval") return "+OK\r\n";
        // After the channel; or after the script, the number of keys and the channel.
        const rows = name === "publish" ? args.slice(1) : args.slice(3);
        const bytes = rows.join("").length;
        pending += bytes;
        most = Math.max(most, pending);
        // Answered after all that the sink would send by itself has had time to arrive.
        setImmediate(() =>
          setImmediate(() => {
            pending -= bytes;
            socket.write(
              name === "publish" ? ":1\r\n" : `*${rows.length}\r\n${":1\r\n".repeat(rows.length)}`,
            );
          }),
        );
        return undefined;
      });
      bench.later(() => slow.close());
      const { sink, part } = await bench.open({ maxInFlightBytes: 20_000 }, { port: slow.port });
      await part.writeBatch(Array.from({ length: 4_000 }, () => "x".repeat(50)));
      expect(sink.stats()).toMatchObject({ published: 4_000, bytes: 200_000 });
      expect(most).toBeLessThanOrEqual(20_000);
      expect(most).toBeGreaterThan(5_000);
    },
  );

  it("sends rows larger than the limit alone, one after the other", async () => {
    let pending = 0;
    let most = 0;
    const slow = await scriptedRedis(([name = ""], socket) => {
      if (name === "info") return infoReply("7.0.0");
      if (name === "eval") return "-NOPERM no scripts here\r\n";
      if (name !== "publish") return "+OK\r\n";
      pending += 1;
      most = Math.max(most, pending);
      setImmediate(() =>
        setImmediate(() => {
          pending -= 1;
          socket.write(":1\r\n");
        }),
      );
      return undefined;
    });
    bench.later(() => slow.close());
    const { sink, part } = await bench.open({ maxInFlightBytes: 1_000 }, { port: slow.port });
    await part.writeBatch(Array.from({ length: 20 }, () => "x".repeat(2_000)));
    expect(sink.stats()).toMatchObject({ published: 20, bytes: 40_000 });
    expect(most).toBe(1);
  });
});

describe("messages that Redis refuses for now while it accepts the next", () => {
  it("are the only ones that are sent again, in order", async () => {
    const taken: string[] = [];
    const refuse = new Set(["row 3", "row 4", "row 7"]);
    const busy = await scriptedRedis(([name = "", ...args]) => {
      if (name === "info") return infoReply("7.0.0");
      if (name === "eval") return "-NOPERM no scripts here\r\n";
      if (name !== "publish") return "+OK\r\n";
      const row = args.at(-1) ?? "";
      if (refuse.delete(row)) return "-BUSY Redis is busy running a script.\r\n";
      taken.push(row);
      return ":1\r\n";
    });
    bench.later(() => busy.close());
    const { sink, part } = await bench.open({}, { port: busy.port });
    await part.writeBatch(rows(10));
    expect(taken).toEqual([0, 1, 2, 5, 6, 8, 9, 3, 4, 7].map((n) => `row ${n}`));
    expect(sink.stats()).toMatchObject({ published: 10, unsent: 0 });
  });
});

describe("a Redis that refuses messages for now", () => {
  it("is asked again over the same connection, and the log says so", async () => {
    let refusals = 3;
    const busy = await scriptedRedis(([name = ""]) => {
      if (name === "info") return infoReply("7.0.0");
      if (name === "eval") return "-NOPERM no scripts here\r\n";
      if (name !== "publish") return "+OK\r\n";
      refusals -= 1;
      return refusals < 0 ? ":1\r\n" : "-BUSY Redis is busy running a script.\r\n";
    });
    bench.later(() => busy.close());
    const context = partContext();
    const sink = new RedisPubSubSink({ host: "127.0.0.1", port: busy.port }, { channel: "clicks" });
    const part = await sink.buildPart("0", undefined, context);
    bench.later(() => part.close());
    await part.writeBatch(rows(1));
    expect(sink.stats()).toMatchObject({ published: 1, disconnects: 0, resent: 0 });
    expect(context.logger.of("redis-not-ready")).toHaveLength(1);
    expect(context.logger.of("redis-lost")).toEqual([]);
  });
});

describe("a lost connection", () => {
  it("waits through a restart of Redis", async () => {
    const own = await startRedis();
    bench.later(() => own.stop());
    const { sink, part } = await bench.open({}, { port: own.port });
    await own.kill();
    const writing = part.writeBatch(rows(10));
    await own.restart();
    await writing;
    expect(sink.stats()).toMatchObject({ published: 10, unheard: 10, disconnects: 1 });
  });
});

describe("frames", () => {
  it.each([
    ["no option of theirs", {}, false],
    ["a size", { batch: 1 }, true],
    ["a name", { producer: "shop" }, true],
    ["nothing else", { frames: true }, true],
    ["a wish for bare lines", { frames: false, batch: 1 }, false],
  ])("are sent where there is %s: %j, %s", async (_, options, framed) => {
    const { all, caughtUp } = await bench.listen();
    const { part } = await bench.open(options);
    await part.writeBatch(rows(1));
    await part.flush();
    await caughtUp();
    expect(all.some((message) => decodeFrame(message).kind === "frame")).toBe(framed);
  });

  const framed = { frames: true, batch: 10, lingerMs: 0 };

  /** Frames in order, without repeated numbers. */
  function fresh(messages: readonly Buffer[]): readonly unknown[] {
    const ledger = new ProducerLedger();
    return messages.flatMap((message) => {
      const frame = decodeFrame(message);
      if (frame.kind !== "frame") throw new Error(`no frame: ${String(message)}`);
      return ledger.accept(frame, 0).fresh.flatMap(({ from, to }) => frame.lines.slice(from, to));
    });
  }

  it("carry numbers from the first on, under a name of each part's own", async () => {
    const { all, caughtUp } = await bench.listen();
    const { sink, part } = await bench.open({ ...framed, producer: "shop" });
    const other = await sink.buildPart("1", undefined, partContext());
    const before = Date.now();
    await part.writeBatch(rows(25));
    await other.writeBatch(rows(5));
    await Promise.all([part.close(), other.close()]);
    await caughtUp();
    const of = (producer: string): number[][] =>
      all
        .map(headerOf)
        .filter((header) => header.producer === producer)
        .map(({ first, count }) => [first, count]);
    expect(of("shop.0")).toEqual([
      [0, 0],
      [0, 10],
      [10, 10],
      [20, 5],
      [25, 0],
    ]);
    expect(of("shop.1")).toEqual([
      [0, 0],
      [0, 5],
      [5, 0],
    ]);
    expect(headerOf(all.at(-1) ?? Buffer.alloc(0)).publishedAtMs).toBeGreaterThanOrEqual(before);
    expect(sink.stats()).toMatchObject({ published: 30, unheard: 0 });
  });

  it("have a new producer each time", async () => {
    const { all, caughtUp } = await bench.listen();
    for (let i = 0; i < 2; i += 1) await (await bench.open(framed)).part.writeBatch(["a"]);
    await caughtUp();
    expect(new Set(all.map((message) => headerOf(message).producer)).size).toBe(2);
  });

  it.each<readonly [form: string, rowOf: (row: string) => PublishRow]>([
    ["text", (row) => row],
    // Long ones are not sent by a script.
    ["bytes", (row) => Buffer.from(row.padEnd(300, "é"))],
  ])("keep their numbers when they are sent again, so that nothing counts twice: %s", async (_, rowOf) => {
    const { all, caughtUp } = await bench.listen();
    let cuts = 0;
    const { sink, part } = await bench.open({
      ...framed,
      maxInFlightBytes: 20_000,
      onProgress: ({ published }) => {
        if (published < 5_000 * (cuts + 1) || cuts === 3) return;
        cuts += 1;
        void bench.control.client("KILL", "TYPE", "normal", "SKIPME", "yes");
      },
    });
    const sent = rows(30_000).map(rowOf);
    await part.writeBatch(sent);
    await part.flush();
    await caughtUp();
    expect(sink.stats()).toMatchObject({ published: 30_000, disconnects: 3 });
    expect(sink.stats().resent).toBeGreaterThan(0);
    expect(fresh(all)).toEqual(sent.map(String));
  });

  it("do not wait for more rows at a commit", async () => {
    const { all, caughtUp } = await bench.listen();
    const { part } = await bench.open({ ...framed, lingerMs: 60_000 });
    await part.writeBatch(rows(3));
    await part.flush();
    await caughtUp();
    expect(fresh(all)).toEqual(rows(3));
  });

  it("that cannot be sent make a flush fail on abort, and are counted", async () => {
    const own = await startRedis();
    bench.later(() => own.stop());
    const abort = new AbortController();
    const context = partContext(undefined, abort.signal);
    const sink = new RedisPubSubSink({ url: own.url }, { channel: "clicks", ...framed, lingerMs: 60_000 });
    const part = await sink.buildPart("0", undefined, context);
    await part.writeBatch(rows(3));
    await own.kill();
    const reason = new Error("too late");
    const failed = expect(part.flush()).rejects.toBe(reason);
    await context.logger.logged("redis-lost");
    abort.abort(reason);
    await failed;
    await part.close();
    expect(sink.stats()).toMatchObject({ published: 0, unsent: 3 });
    expect(context.logger.of("unsent")).toMatchObject([{ fields: { rows: 3 } }]);
  });

  it("delay a close by a second at most, if Redis does not accept the last heartbeat", async () => {
    const own = await startRedis();
    bench.later(() => own.stop());
    const context = partContext();
    const sink = new RedisPubSubSink({ url: own.url }, { channel: "clicks", ...framed });
    const part = await sink.buildPart("0", undefined, context);
    await part.writeBatch(rows(3));
    await part.flush();
    await own.kill("SIGSTOP");
    await part.close();
    expect(context.logger.of("unsent")).toEqual([]);
  });

  it.each([
    ["a frame of nothing", { batch: 0 }],
    ["half a millisecond", { lingerMs: 0.5 }],
    ["a heartbeat without pause", { heartbeatMs: 0 }],
    ["a producer with a space", { producer: "a b" }],
    ["partitions without a key", { partitions: 2 }],
  ])("refuse %s", (_, options) => {
    expect(() => new RedisPubSubSink({}, { channel: "clicks", ...framed, ...options })).toThrow(
      RedisOptionsError,
    );
  });
});

describe("ending", () => {
  it("fails with the reason when Redis refuses to publish", async () => {
    const user = await bench.user("reader");
    const { sink, part } = await bench.open({}, { user });
    await expect(part.writeBatch(rows(3))).rejects.toThrow(RedisRefusedError);
    await expect(part.writeBatch(rows(3))).rejects.toThrow(/NOPERM.*publish/);
    expect(sink.stats().published).toBe(0);
  });

  it("rejects a running write when it is closed", async () => {
    const own = await startRedis();
    bench.later(() => own.stop());
    const { part } = await bench.open({}, { port: own.port });
    await own.kill("SIGSTOP");
    const writing = expect(part.writeBatch(rows(3))).rejects.toBeInstanceOf(RedisClosedError);
    await part.close();
    await part.close();
    await writing;
  });

  it.each([
    ["no channel", { channel: "" }],
    ["a bound of nothing", { channel: "clicks", maxInFlightBytes: 0 }],
    ["frames of more rows than readers take", { channel: "clicks", batch: 10_001 }],
  ])("refuses %s", (_, options) => {
    expect(() => new RedisPubSubSink({}, options)).toThrow(RedisOptionsError);
  });
});
