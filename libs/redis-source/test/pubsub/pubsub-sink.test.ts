import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { SinkPartition } from "@millrace/dataflow";
import type { LocalRedis } from "@millrace/local-redis";
import { ProducerLedger } from "../../src/delivery/producer-ledger.ts";
import { RedisClosedError, RedisOptionsError, RedisRefusedError } from "../../src/errors.ts";
import { RedisPubSubSink } from "../../src/pubsub/pubsub-sink.ts";
import type { PublishRow, RedisPubSubSinkOptions } from "../../src/pubsub/pubsub-sink-options.ts";
import { FRAMES, headerOf } from "../support/frames.ts";
import { partContext } from "../support/part-context.ts";
import { infoReply, scriptedRedis } from "../support/scripted-server.ts";

let server: LocalRedis;
let control: Redis;
const cleanUps: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startRedis();
  control = new Redis(server.url);
  await control.acl("SETUSER", "publisher", "on", ">pw", "+info", "+publish", "allchannels");
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

afterAll(async () => {
  control.disconnect();
  await server.stop();
});

/** A user who may publish, and no more: no scripts. */
const PUBLISHER = { username: "publisher", password: "pw" };

async function open(
  options: Partial<RedisPubSubSinkOptions> = {},
  port: number = server.port,
  user: Partial<typeof PUBLISHER> = {},
): Promise<{ sink: RedisPubSubSink; part: SinkPartition<PublishRow> }> {
  const sink = new RedisPubSubSink({ host: "127.0.0.1", port, ...user }, { channel: "clicks", ...options });
  const part = await sink.buildPart("0", undefined, partContext());
  cleanUps.push(() => part.close());
  return { sink, part };
}

/** Hears the channel; `all` is complete up to the moment when `caughtUp` was called. */
async function listener(): Promise<{ all: Buffer[]; caughtUp: () => Promise<unknown> }> {
  const redis = new Redis(server.url);
  cleanUps.push(() => {
    redis.disconnect();
  });
  const all: Buffer[] = [];
  redis.on("messageBuffer", (_: Buffer, message: Buffer) => all.push(message));
  await redis.subscribe("clicks");
  return { all, caughtUp: () => redis.ping() };
}

function rows(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `row ${i}`);
}

describe.each([
  ["by scripts", {}],
  ["in pipelines, for a user who may not run scripts", PUBLISHER],
])("publishing %s", (_way, user) => {
  it("publishes each row as a message, in order, and counts them when Redis has answered", async () => {
    const { all, caughtUp } = await listener();
    const progress: number[] = [];
    const { sink, part } = await open(
      {
        maxInFlightBytes: 10_000,
        onProgress: ({ published }) => progress.push(published),
      },
      server.port,
      user,
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
      disconnects: 0,
    });
    expect(progress.length).toBeGreaterThan(10);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(2_000);
  });

  it("changes no byte", async () => {
    const { all, caughtUp } = await listener();
    const { sink, part } = await open({}, server.port, user);
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    const sent = [every, "", new Uint8Array(0), "Zürich\r\n*1\r\n", every.subarray(100, 160), "🏙️"];
    await part.writeBatch(sent);
    await caughtUp();
    expect(all.map((message) => message.toString("hex"))).toEqual(
      sent.map((row) => Buffer.from(row).toString("hex")),
    );
    expect(sink.stats().bytes).toBe(all.reduce((sum, message) => sum + message.length, 0));
  });

  it("counts what nobody heard", async () => {
    const { sink, part } = await open({}, server.port, user);
    await part.writeBatch(rows(30));
    const { caughtUp } = await listener();
    await part.writeBatch(rows(12));
    await caughtUp();
    expect(sink.stats()).toMatchObject({ published: 42, unheard: 30 });
  });

  it("adds up its partitions", async () => {
    const { sink, part } = await open({}, server.port, user);
    const other = await sink.buildPart("1", undefined, partContext());
    await Promise.all([part.writeBatch(rows(3)), other.writeBatch(rows(4))]);
    await other.close();
    expect(sink.stats()).toMatchObject({ published: 7 });
  });

  it("goes on after a lost connection with the first unanswered row and leaves none out", async () => {
    const { all, caughtUp } = await listener();
    let cuts = 0;
    const { sink, part } = await open(
      {
        maxInFlightBytes: 20_000,
        onProgress: ({ published }) => {
          if (published < 5_000 * (cuts + 1) || cuts === 3) return;
          cuts += 1;
          void control.client("KILL", "TYPE", "normal", "SKIPME", "yes");
        },
      },
      server.port,
      user,
    );
    const sent = rows(30_000);
    await part.writeBatch(sent);
    await caughtUp();
    const { published, resent, disconnects } = sink.stats();
    expect([published, disconnects]).toEqual([30_000, 3]);
    // Rows come in order except that some come again: what is new each time is exactly what was sent.
    const heard = all.map(String);
    expect([...new Set(heard)]).toEqual(sent);
    expect(heard.length).toBeLessThanOrEqual(sent.length + resent);
  });
});

describe("a script", () => {
  it("that may not be run any more gives way to pipelines", async () => {
    const { all, caughtUp } = await listener();
    const user = { username: "demoted", password: "pw" };
    await control.acl(
      "SETUSER",
      user.username,
      "on",
      ">pw",
      "+info",
      "+publish",
      "+@scripting",
      "allchannels",
    );
    const { sink, part } = await open({}, server.port, user);
    await control.acl("SETUSER", user.username, "-@scripting");
    const sent = rows(5_000);
    // Two flights; the write behind them is not sent in scripts any more.
    await part.writeBatch(sent.slice(0, 1_900));
    await part.writeBatch(sent.slice(1_900));
    await caughtUp();
    expect(all.map(String)).toEqual(sent);
    expect(sink.stats()).toMatchObject({ published: 5_000, resent: 1_900 });
  });

  it("that fails is not made up for before the next one has been answered", async () => {
    const steps: string[] = [];
    const server = await scriptedRedis(([name = "", ...args], socket) => {
      if (name === "info") return infoReply("7.0.0");
      if (name === "eval") {
        const messages = args.length - 3;
        if (messages === 0) return "*0\r\n";
        if (!steps.includes("refused")) {
          steps.push("refused");
          return "-NOPERM not any more\r\n";
        }
        // Long enough for whatever would be sent meanwhile to arrive.
        void control.ping().then(async () => {
          for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
          steps.push("taken");
          socket.write(`*${messages}\r\n${":1\r\n".repeat(messages)}`);
        });
        return undefined;
      }
      if (name !== "publish") return "+OK\r\n";
      if (steps.at(-1) !== "published") steps.push("published");
      return ":1\r\n";
    });
    cleanUps.push(() => server.close());
    const { part } = await open({}, server.port);
    await part.writeBatch(rows(1_900));
    expect(steps).toEqual(["refused", "taken", "published"]);
  });

  it("carries no more rows than a call takes", async () => {
    const { all, caughtUp } = await listener();
    const { sink, part } = await open({ maxInFlightBytes: 1e9 });
    const sent = rows(150_000);
    await part.writeBatch(sent);
    await caughtUp();
    expect(sink.stats().published).toBe(150_000);
    expect(all.map(String)).toEqual(sent);
  });

  it("is one command for many rows", async () => {
    const { part } = await open();
    await control.config("RESETSTAT");
    await part.writeBatch(rows(3_000));
    const stats = await control.info("commandstats");
    const calls = (command: string): number =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    expect(calls("publish")).toBe(3_000);
    expect(calls("eval")).toBeGreaterThan(0);
    expect(calls("eval")).toBeLessThan(10);
  });

  it("that may not publish tells why nobody may", async () => {
    await control.acl("SETUSER", "scripter", "on", ">pw", "+info", "+@scripting", "allchannels");
    const { sink, part } = await open({}, server.port, { username: "scripter", password: "pw" });
    await expect(part.writeBatch(rows(300))).rejects.toThrow(/NOPERM.*'publish'/);
    expect(sink.stats().published).toBe(0);
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
        // Behind the channel, or behind the script, the number of keys and the channel.
        const rows = name === "publish" ? args.slice(1) : args.slice(3);
        const bytes = rows.join("").length;
        pending += bytes;
        most = Math.max(most, pending);
        // Answered when all that the sink would send on its own has had time to arrive.
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
      cleanUps.push(() => slow.close());
      const { sink, part } = await open({ maxInFlightBytes: 20_000 }, slow.port);
      await part.writeBatch(Array.from({ length: 4_000 }, () => "x".repeat(50)));
      expect(sink.stats()).toMatchObject({ published: 4_000, bytes: 200_000 });
      expect(most).toBeLessThanOrEqual(20_000);
      expect(most).toBeGreaterThan(5_000);
    },
  );

  it("sends rows larger than the bound alone, one behind the other", async () => {
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
    cleanUps.push(() => slow.close());
    const { sink, part } = await open({ maxInFlightBytes: 1_000 }, slow.port);
    await part.writeBatch(Array.from({ length: 20 }, () => "x".repeat(2_000)));
    expect(sink.stats()).toMatchObject({ published: 20, bytes: 40_000 });
    expect(most).toBe(1);
  });
});

describe("a lost connection", () => {
  it("waits through a restart of Redis", async () => {
    const own = await startRedis();
    cleanUps.push(() => own.stop());
    const { sink, part } = await open({}, own.port);
    await own.kill();
    const writing = part.writeBatch(rows(10));
    await own.restart();
    await writing;
    expect(sink.stats()).toMatchObject({ published: 10, unheard: 10, disconnects: 1 });
  });
});

describe("frames", () => {
  const framed = { frames: FRAMES, batch: 10, lingerMs: 0 };

  /** Frames in order, numbers that come again taken out. */
  function fresh(messages: readonly Buffer[]): readonly unknown[] {
    const ledger = new ProducerLedger();
    return messages.flatMap((message) => {
      const frame = FRAMES.decodeFrame(message);
      if (frame.kind !== "frame") throw new Error(`no frame: ${String(message)}`);
      return ledger.accept(frame, 0).fresh.flatMap(({ from, to }) => frame.lines.slice(from, to));
    });
  }

  it("carry numbers from the first on, under a name of each part's own", async () => {
    const { all, caughtUp } = await listener();
    const { sink, part } = await open({ ...framed, producer: "shop" });
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

  it("have a producer that nobody had before", async () => {
    const { all, caughtUp } = await listener();
    for (let i = 0; i < 2; i += 1) await (await open(framed)).part.writeBatch(["a"]);
    await caughtUp();
    expect(new Set(all.map((message) => headerOf(message).producer)).size).toBe(2);
  });

  it("keep their numbers when they are sent again, so that nothing counts twice", async () => {
    const { all, caughtUp } = await listener();
    let cuts = 0;
    const { sink, part } = await open({
      ...framed,
      maxInFlightBytes: 20_000,
      onProgress: ({ published }) => {
        if (published < 5_000 * (cuts + 1) || cuts === 3) return;
        cuts += 1;
        void control.client("KILL", "TYPE", "normal", "SKIPME", "yes");
      },
    });
    const sent = rows(30_000);
    await part.writeBatch(sent);
    await caughtUp();
    expect(sink.stats()).toMatchObject({ published: 30_000, disconnects: 3 });
    expect(sink.stats().resent).toBeGreaterThan(0);
    expect(fresh(all)).toEqual(sent);
  });

  it("do not wait for more rows when a flow commits", async () => {
    const { all, caughtUp } = await listener();
    const { part } = await open({ ...framed, lingerMs: 60_000 });
    await part.writeBatch(rows(3));
    expect(await part.snapshot?.()).toBeNull();
    await caughtUp();
    expect(fresh(all)).toEqual(rows(3));
  });

  it("that cannot be sent any more are told when it is closed, and hold it up for a second at most", async () => {
    const own = await startRedis();
    cleanUps.push(() => own.stop());
    const context = partContext();
    const sink = new RedisPubSubSink({ url: own.url }, { channel: "clicks", ...framed, lingerMs: 60_000 });
    const part = await sink.buildPart("0", undefined, context);
    await part.writeBatch(rows(3));
    await own.kill();
    await part.close();
    expect(context.logger.of("unsent")).toMatchObject([{ fields: { rows: 3 } }]);
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
    await control.acl("SETUSER", "reader", "on", ">pw", "+info", "allchannels");
    const sink = new RedisPubSubSink(
      { host: server.host, port: server.port, username: "reader", password: "pw" },
      { channel: "clicks" },
    );
    const part = await sink.buildPart("0", undefined, partContext());
    cleanUps.push(() => part.close());
    await expect(part.writeBatch(rows(3))).rejects.toThrow(RedisRefusedError);
    await expect(part.writeBatch(rows(3))).rejects.toThrow(/NOPERM.*publish/);
    expect(sink.stats().published).toBe(0);
  });

  it("settles a write under way when it is closed", async () => {
    const own = await startRedis();
    cleanUps.push(() => own.stop());
    const { part } = await open({}, own.port);
    await own.kill("SIGSTOP");
    const writing = expect(part.writeBatch(rows(3))).rejects.toBeInstanceOf(RedisClosedError);
    await part.close();
    await part.close();
    await writing;
  });

  it.each([
    ["no channel", { channel: "" }],
    ["a bound of nothing", { channel: "clicks", maxInFlightBytes: 0 }],
  ])("refuses %s", (_, options) => {
    expect(() => new RedisPubSubSink({}, options)).toThrow(RedisOptionsError);
  });
});
