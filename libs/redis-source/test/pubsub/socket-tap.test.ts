import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Socket, connect } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Redis } from "ioredis";
import { TLS_FIXTURE, startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisPubSubSource } from "@millrace/redis-source";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import type { PubSubPartition } from "../../src/pubsub/pubsub-partition.ts";
import { LIBRARY_EVENTS, tapSocket } from "../../src/pubsub/socket-tap.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { listen } from "../support/scripted-server.ts";
import { take } from "../support/take.ts";

const OPTIONS = { channel: "clicks", sharded: false, cut: true };
const forced = process.env[LIBRARY_EVENTS];

let server: LocalRedis;
let publisher: Redis;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startRedis();
  publisher = new Redis(server.url);
  publisher.on("error", () => undefined);
});

afterEach(async () => {
  if (forced === undefined) Reflect.deleteProperty(process.env, LIBRARY_EVENTS);
  else process.env[LIBRARY_EVENTS] = forced;
  for (const each of open.splice(0).reverse()) await each.close();
});

afterAll(async () => {
  publisher.disconnect();
  await server.stop();
});

async function subscribe(
  context: TestContext,
  connection: RedisConnectionOptions = { url: server.url },
): Promise<PubSubPartition> {
  const source = new RedisPubSubSource(connection, { channel: "clicks" });
  const partition = await source.buildPart("clicks", undefined, context);
  open.push(partition);
  return partition;
}

async function publish(messages: readonly (string | Buffer)[]): Promise<void> {
  const pipeline = publisher.pipeline();
  for (const message of messages) pipeline.publish("clicks", message);
  await pipeline.exec();
}

describe("a connection that is read before the client library", () => {
  it("calls no listener of the library for a message, and answers commands as before", async () => {
    Reflect.deleteProperty(process.env, LIBRARY_EVENTS);
    const client = new Redis(server.url);
    open.push({ close: () => client.quit().then(() => undefined) });
    await client.ping();
    const read: unknown[] = [];
    const heard: string[] = [];
    client.on("message", (channel: string, message: string) => heard.push(`${channel}: ${message}`));
    expect(tapSocket(client, OPTIONS, (messages) => read.push(...messages), fail)).toBeUndefined();
    expect(await client.get("none")).toBeNull();
    await client.subscribe("clicks", "taps");
    await publish(["a", "b", Buffer.from([0xff]), ""]);
    await publisher.publish("taps", "t");
    expect(await client.ping("x")).toEqual(["pong", "x"]);
    await client.unsubscribe("taps");
    await publish(["c"]);
    await client.unsubscribe("clicks");
    expect(read).toEqual(["a", "b", Buffer.from([0xff]), "", "c"]);
    expect(heard).toEqual(["taps: t"]);
  });

  it("is left to the library if it is no longer understood", () => {
    Reflect.deleteProperty(process.env, LIBRARY_EVENTS);
    const stream = new Socket();
    const parsed: string[] = [];
    const read: unknown[] = [];
    const lost: string[] = [];
    stream.on("data", (bytes: Buffer) => parsed.push(bytes.toString()));
    tapSocket(
      { stream },
      OPTIONS,
      (messages) => read.push(...messages),
      (why) => lost.push(why),
    );
    const message = "*3\r\n$7\r\nmessage\r\n$6\r\nclicks\r\n$1\r\na\r\n";
    stream.emit("data", Buffer.from(`${message}+OK\r\n${message}?`));
    stream.emit("data", Buffer.from(message));
    expect(read).toEqual(["a", "a"]);
    expect(parsed).toEqual(["+OK\r\n", "?", message]);
    expect(lost).toHaveLength(1);
    expect(stream.listenerCount("data")).toBe(1);
  });

  it("reads what comes over TLS", async () => {
    const proxy = await listen(
      createTlsServer(TLS_FIXTURE, (socket) => {
        const inner = connect(server.port, server.host);
        socket.pipe(inner).pipe(socket);
        for (const end of [socket, inner]) end.on("error", () => inner.destroy());
        socket.on("close", () => inner.destroy());
      }),
    );
    open.push(proxy);
    const context = partContext();
    const url = `rediss://localhost:${proxy.port}`;
    const partition = await subscribe(context, { url, tls: { ca: TLS_FIXTURE.cert } });
    const lines = Array.from({ length: 3_000 }, (_, i) => `line ${i} ${"ü".repeat(i % 2)}`);
    await publish(lines);
    expect(await take(partition, lines.length)).toEqual(lines);
    expect(context.logger.of("library-events")).toHaveLength(forced === undefined ? 0 : 1);
  });

  it("keeps no chunk in memory for a line, unless the flow keeps no line", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const partition = await subscribe(partContext());
    const kept: unknown[] = [];
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 20; round += 1) {
      const taken = take(partition, 1_000);
      await publish(Array.from({ length: 1_000 }, (_, i) => `${i} ${"x".repeat(1_000)}`));
      kept.push(...(await taken).filter((_, i) => i % 50 === 0));
    }
    gc();
    expect(kept).toHaveLength(400);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  });
});

describe("a client library that looks different", () => {
  it.each([
    ["has no stream", undefined, /no stream/],
    ["has no listener", 0, /0 listeners/],
    ["listens twice", 2, /2 listeners/],
  ])("is not interfered with if it %s", (_, listeners, why) => {
    Reflect.deleteProperty(process.env, LIBRARY_EVENTS);
    const stream = new Socket();
    for (let i = 0; i < (listeners ?? 0); i += 1) stream.on("data", () => undefined);
    const client = listeners === undefined ? ({} as { stream: Socket }) : { stream };
    expect(tapSocket(client, OPTIONS, fail, fail)).toMatch(why);
    expect(stream.listenerCount("data")).toBe(listeners ?? 0);
  });

  it("leaves the source with the library's own events, which is logged once", async () => {
    process.env[LIBRARY_EVENTS] = "1";
    const context = partContext();
    const [first, second] = [await subscribe(context), await subscribe(context)];
    await publish(["a", "Zürich", Buffer.from([0xff])]);
    for (const partition of [first, second]) {
      expect(await take(partition, 3)).toEqual(["a", "Zürich", new Uint8Array([0xff])]);
    }
    expect(context.logger.of("library-events")).toHaveLength(1);
  });
});

function fail(): never {
  throw new Error("this must not be called");
}
