import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis, LocalRedisOptions } from "@millrace/local-redis";
import { Bed } from "./bed.ts";
import { startFlakyProxy } from "./flaky-proxy.ts";
import type { FlakyProxy } from "./flaky-proxy.ts";

/** One Redis, and a way to it for publisher and aggregator each. */
export class TestBed extends Bed {
  readonly redis: LocalRedis;
  readonly toPublisher: FlakyProxy;
  readonly toAggregator: FlakyProxy;

  /** @param options of the Redis; its directory is a fresh one, removed at the end */
  static async open(options: LocalRedisOptions = {}): Promise<TestBed> {
    const redis = await startRedis(options);
    return new TestBed(redis, await startFlakyProxy(redis), await startFlakyProxy(redis));
  }

  private constructor(redis: LocalRedis, toPublisher: FlakyProxy, toAggregator: FlakyProxy) {
    super({ publisher: toPublisher.url, aggregator: toAggregator.url }, redis.dir);
    this.redis = redis;
    this.toPublisher = toPublisher;
    this.toAggregator = toAggregator;
  }

  get url(): string {
    return this.redis.url;
  }

  client(): Redis {
    return new Redis(this.url).on("error", () => undefined);
  }

  protected async stopServers(): Promise<void> {
    await Promise.all([this.toPublisher.close(), this.toAggregator.close()]);
    await this.redis.stop();
  }
}
