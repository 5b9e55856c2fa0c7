import { Redis } from "ioredis";
import type { SinkPartition } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { RedisPubSubSink } from "@millrace/redis-source";
import type { PublishRow, RedisPubSubSinkOptions } from "@millrace/redis-source";
import { partContext } from "./part-context.ts";

/** A user of Redis. */
export interface User {
  readonly username: string;
  readonly password: string;
}

/** A Redis to publish on, and what a test has opened on it. */
export class SinkBench {
  readonly server: LocalRedis;
  readonly control: Redis;
  readonly #cleanUps: (() => unknown)[] = [];

  private constructor(server: LocalRedis) {
    this.server = server;
    this.control = new Redis(server.url);
  }

  static async start(): Promise<SinkBench> {
    return new SinkBench(await startRedis());
  }

  /** Makes a user who may do so much, on all channels. */
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

  /** Hears the channel; `all` is complete up to the moment when `caughtUp` was called. */
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

  /** Something to do at the end of the test. */
  later(cleanUp: () => unknown): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Closes what was opened, the last one first. */
  async tidy(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
  }

  async stop(): Promise<void> {
    await this.tidy();
    this.control.disconnect();
    await this.server.stop();
  }
}

/** `row 0`, `row 1`, … */
export function rows(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `row ${i}`);
}
