import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { Redis } from "ioredis";
import type { SinkPartition } from "@millrace/dataflow";
import { startLoopbackProxy, startRedis } from "@millrace/local-redis";
import type { LocalRedis, LoopbackProxy } from "@millrace/local-redis";
import { RedisPubSubSink } from "@millrace/redis-source";
import type { PublishRow, RedisPubSubSinkOptions } from "@millrace/redis-source";
import { partContext } from "./part-context.ts";

/** A user of Redis. */
export interface User {
  readonly username: string;
  readonly password: string;
}

/** A Redis for the tests of a file. It is empty before each test, and closed with everything they opened. */
export function sinkBench(): SinkBench {
  const bench = new SinkBench();
  beforeAll(() => bench.start());
  afterEach(() => bench.tidy());
  afterAll(() => bench.stop());
  return bench;
}

class SinkBench {
  readonly #cleanUps: (() => unknown)[] = [];
  #started: { readonly server: LocalRedis; readonly control: Redis } | undefined;

  get server(): LocalRedis {
    return this.#running().server;
  }

  /** A client for the test itself. */
  get control(): Redis {
    return this.#running().control;
  }

  async start(): Promise<void> {
    const server = await startRedis();
    this.#started = { server, control: new Redis(server.url) };
  }

  /** Makes a user with these permissions, on all channels. */
  async user(username: string, ...rights: readonly string[]): Promise<User> {
    await this.control.acl("SETUSER", username, "reset", "on", ">pw", "allchannels", "+info", ...rights);
    return { username, password: "pw" };
  }

  /** Opens a sink for the channel `clicks`; {@link tidy} closes it. */
  async open(
    options: Partial<RedisPubSubSinkOptions> = {},
    { port = this.server.port, user }: { readonly port?: number; readonly user?: User | undefined } = {},
  ): Promise<{ sink: RedisPubSubSink; part: SinkPartition<PublishRow> }> {
    const sink = new RedisPubSubSink({ host: "127.0.0.1", port, ...user }, { channel: "clicks", ...options });
    const part = await sink.buildPart("0", undefined, partContext());
    this.later(() => part.close());
    return { sink, part };
  }

  /** Subscribes to the channel; `all` is complete up to the call of `caughtUp`. */
  async listen(): Promise<{ all: Buffer[]; caughtUp: () => Promise<unknown> }> {
    const redis = new Redis(this.server.url);
    this.later(() => {
      redis.disconnect();
    });
    const all: Buffer[] = [];
    redis.on("messageBuffer", (_: Buffer, message: Buffer) => all.push(message));
    await redis.subscribe("clicks");
    return { all, caughtUp: () => redis.ping() };
  }

  /** A proxy to the Redis that can be frozen. */
  async cable(): Promise<LoopbackProxy> {
    const cable = await startLoopbackProxy(this.server);
    this.later(() => cable.close());
    return cable;
  }

  /** Adds an action for the end of the test. */
  later(cleanUp: () => unknown): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Closes what was opened, the last one first, and forgets all data. */
  async tidy(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
    await this.control.flushall();
  }

  async stop(): Promise<void> {
    this.control.disconnect();
    await this.server.stop();
  }

  #running(): { readonly server: LocalRedis; readonly control: Redis } {
    if (this.#started === undefined) throw new Error("the bench starts before the first test");
    return this.#started;
  }
}

/** `row 0`, `row 1`, … */
export function rows(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `row ${i}`);
}
