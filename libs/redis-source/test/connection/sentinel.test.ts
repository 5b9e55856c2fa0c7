import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { SYSTEM_TIME } from "@millrace/dataflow";
import type { SinkPartition, SourcePartition } from "@millrace/dataflow";
import { freePort, startRedisSentinel } from "@millrace/local-redis";
import type { LocalRedisSentinel } from "@millrace/local-redis";
import {
  RedisOptionsError,
  RedisPubSubSink,
  RedisPubSubSource,
  RedisStreamSink,
  RedisStreamSource,
  RedisUnreachableError,
  connectRedis,
} from "@millrace/redis-source";
import type { PublishRow, RedisConnection, RedisConnectionOptions } from "@millrace/redis-source";
import { partContext } from "../support/part-context.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { until } from "../support/until.ts";

let group: LocalRedisSentinel;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  group = await startRedisSentinel({ sentinelPassword: "s3cret" });
}, 30_000);

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

afterAll(async () => {
  await group.stop();
});

function opened<T extends { close(): Promise<void> }>(what: T): T {
  open.push(what);
  return what;
}

async function connect(options: RedisConnectionOptions): Promise<RedisConnection> {
  const settings = { role: "test", logger: new RecordingLogger(), time: SYSTEM_TIME };
  return opened(await connectRedis(options, settings));
}

function sentinels(): { readonly url: string; readonly sentinelPassword: string } {
  return { url: group.url, sentinelPassword: "s3cret" };
}

describe("Sentinels", () => {
  it("lead to the master, also if the first of them is gone and one knows the others", async () => {
    const [known] = group.sentinels;
    const gone = `127.0.0.1:${await freePort()}`;
    const connection = await connect({
      sentinels: [gone, `127.0.0.1:${known?.port ?? 0}`],
      masterName: group.masterName,
      sentinelPassword: "s3cret",
    });
    const master = await group.master();
    expect(await (await connection.whenUp()).role()).toEqual(expect.arrayContaining(["master"]));
    expect(connection.address).toBe(`127.0.0.1:${master.port} (the master mymaster)`);
  });

  it("that do not know the master are named at once", async () => {
    const refused = connect({ ...sentinels(), masterName: "unknown" });
    await expect(refused).rejects.toThrow(/No Sentinel at .* knows a master named "unknown"/);
    await expect(refused).rejects.toBeInstanceOf(RedisOptionsError);
  });

  it("that need a password are reported", async () => {
    await expect(connect({ url: group.url })).rejects.toThrow(/refuses the user name or password: NOAUTH/);
  });

  it("that are all gone are given up in time", async () => {
    const gone = connect({
      url: `redis+sentinel://127.0.0.1:${await freePort()}/main`,
      connectTimeoutMs: 100,
    });
    await expect(gone).rejects.toThrow(
      /No connection to the master main through the Sentinels .*ECONNREFUSED/,
    );
    await expect(gone).rejects.toBeInstanceOf(RedisUnreachableError);
  });

  it("without a master's name are reported, with the remedy", async () => {
    const port = group.sentinels[0]?.port ?? 0;
    await expect(connect({ url: `redis://:s3cret@127.0.0.1:${port}` })).rejects.toThrow(
      `At 127.0.0.1:${port} is a Sentinel, which keeps no data but knows where a master is. Name the master too: ` +
        `redis+sentinel://127.0.0.1:${port}/<master>`,
    );
  });
});

/** Keeps reading and counts. */
function readOn(partition: SourcePartition<unknown>): { events: number; readonly ended: Promise<void> } {
  const reading = { events: 0, ended: Promise.resolve() };
  const loop = async (): Promise<void> => {
    for (;;) {
      const batch = await partition.nextBatch();
      if (batch.kind === "end") return;
      reading.events += batch.events.length;
    }
  };
  reading.ended = loop();
  return reading;
}

/** Keeps writing, a hundred rows at a time, until it is ended. */
function writeOn(part: SinkPartition<PublishRow>): { written: number; end: () => Promise<void> } {
  const writing = { written: 0, end: (): Promise<void> => Promise.resolve() };
  let over = false;
  const loop = async (): Promise<void> => {
    while (!over) {
      await part.writeBatch(Array.from({ length: 100 }, (_, i) => `row ${writing.written + i}`));
      writing.written += 100;
      // The reader shares this process.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const ended = loop();
  writing.end = () => {
    over = true;
    return ended;
  };
  return writing;
}

describe("a failover under load", () => {
  it("loses what the numbers show, on Pub/Sub and streams, and both continue with the new master", async () => {
    const context = partContext();
    const framed = { frames: true, batch: 10, lingerMs: 0, heartbeatMs: 50 };
    const subscribed = opened(
      await new RedisPubSubSource(sentinels(), { channel: "clicks" }).buildPart("clicks", undefined, context),
    );
    const read = opened(
      await new RedisStreamSource(sentinels(), {
        stream: "visits",
        group: "g",
        blockMs: 200,
      }).buildPart("visits", undefined, context),
    );
    const [heard, found] = [readOn(subscribed), readOn(read)];
    const published = new RedisPubSubSink(sentinels(), { channel: "clicks", ...framed });
    const added = new RedisStreamSink(sentinels(), { stream: "visits", ...framed });
    const publishing = writeOn(opened(await published.buildPart("0", undefined, context)));
    const adding = writeOn(opened(await added.buildPart("0", undefined, context)));
    await until(() => heard.events > 1_000 && found.events > 1_000);
    const from = SYSTEM_TIME.now();
    await group.failOver();
    const [publishedThen, addedThen] = [publishing.written, adding.written];
    await until(() => publishing.written > publishedThen + 1_000 && adding.written > addedThen + 1_000);
    await Promise.all([publishing.end(), adding.end()]);
    const to = SYSTEM_TIME.now();

    // What is not there counts as lost, by the numbers of the frames after it.
    await until(() => heard.events + subscribed.stats().lost === publishing.written);
    await until(() => found.events + read.stats().lost === adding.written);
    expect(subscribed.stats().disconnects).toBe(1);
    expect(published.stats().disconnects).toBe(1);
    expect(added.stats().disconnects).toBe(1);
    // Each sink heartbeats, so that soon it is known up to `to`.
    await until(() => subscribed.completeness(from, to) !== "unknown");
    const lost = subscribed.stats().lost;
    expect(subscribed.completeness(from, to)).toEqual(
      lost === 0 ? true : { atLeast: expect.any(Number), atMost: lost },
    );
    // The old master is down: that is logged, at most once for each connection.
    const reasons = context.logger.of("redis-lost").map(({ fields }): unknown => Reflect.get(fields, "role"));
    expect(new Set(reasons).size).toBe(reasons.length);
  }, 40_000);
});
