import { Redis } from "ioredis";
import type { Json } from "@millrace/dataflow";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis, LocalRedisOptions } from "@millrace/local-redis";
import { RedisStreamSource } from "@millrace/redis-source";
import type { RedisStreamSourceOptions, StreamPartition } from "@millrace/redis-source";
import { partContext } from "./part-context.ts";
import type { TestContext } from "./part-context.ts";

/** A Redis with streams to read, and everything that a test opens on it. */
export class StreamBench {
  readonly server: LocalRedis;
  readonly redis: Redis;
  readonly #open: StreamPartition[] = [];
  readonly #monitors: Redis[] = [];

  private constructor(server: LocalRedis) {
    this.server = server;
    this.redis = new Redis(server.url, { disconnectTimeout: 0 });
    this.redis.on("error", () => undefined);
  }

  static async start(options: LocalRedisOptions = {}): Promise<StreamBench> {
    return new StreamBench(await startRedis(options));
  }

  /** Opens a stream of one partition; {@link tidy} closes it. */
  async read(
    stream: string,
    options: Omit<RedisStreamSourceOptions, "stream"> = {},
    { resume, context = partContext() }: { resume?: Json | undefined; context?: TestContext } = {},
  ): Promise<StreamPartition> {
    const source = new RedisStreamSource({ url: this.server.url }, { stream, ...options });
    const partition = await source.buildPart(stream, resume, context);
    this.#open.push(partition);
    return partition;
  }

  /** Adds messages. @returns their ids */
  async add(stream: string, messages: readonly (string | Buffer)[]): Promise<string[]> {
    const pipeline = this.redis.pipeline();
    for (const message of messages) pipeline.xadd(stream, "*", "data", message);
    return ((await pipeline.exec()) ?? []).map(([, id]) => String(id));
  }

  /** Closes every connection whose name contains this, on the server; waits for one if there is none. */
  async cut(name: string): Promise<void> {
    for (let killed = 0; killed === 0;) {
      const clients = String(await this.redis.client("LIST")).split("\n");
      for (const client of clients.filter((line) => line.includes(name))) {
        killed += Number(await this.redis.call("CLIENT", "KILL", "ID", /id=(\d+)/.exec(client)?.[1] ?? ""));
      }
    }
  }

  /** Resolves when a read of this stream waits for entries. */
  async waiting(stream: string): Promise<void> {
    for (;;) {
      const clients = String(await this.redis.client("LIST")).split("\n");
      const name = ` name=millrace_source_${stream} `;
      if (clients.some((line) => line.includes(name) && /flags=\S*b/.test(line))) return;
    }
  }

  /** Records the commands that the server receives from now on, in lower case. */
  async commands(): Promise<readonly string[]> {
    const seen: string[] = [];
    const monitor = await this.redis.monitor();
    this.#monitors.push(monitor);
    monitor.on("monitor", (_: string, args: string[]) => seen.push(args.join(" ").toLowerCase()));
    return seen;
  }

  /** Closes what was opened. */
  async tidy(): Promise<void> {
    for (const monitor of this.#monitors.splice(0)) monitor.disconnect();
    for (const partition of this.#open.splice(0)) await partition.close();
  }

  async stop(): Promise<void> {
    await this.tidy();
    this.redis.disconnect();
    await this.server.stop();
  }
}

/** `line 3`, `line 4`, … */
export function lines(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
}
