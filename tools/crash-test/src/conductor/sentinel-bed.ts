import { Redis } from "ioredis";
import { startRedisSentinel } from "@millrace/local-redis";
import type { LocalRedisSentinel } from "@millrace/local-redis";
import { Bed, DURABLE } from "./bed.ts";

/** A primary with a replica and three Sentinels, to which the programs connect. */
export class SentinelBed extends Bed {
  readonly group: LocalRedisSentinel;

  static async open(): Promise<SentinelBed> {
    const group = await startRedisSentinel({ args: DURABLE });
    const [first] = group.nodes;
    if (first === undefined) throw new TypeError("there is a data server");
    return new SentinelBed(group, first.dir);
  }

  private constructor(group: LocalRedisSentinel, dir: string) {
    super({ publisher: group.url, aggregator: group.url }, dir);
    this.group = group;
  }

  get url(): string {
    return this.group.url;
  }

  client(): Redis {
    const sentinels = this.group.sentinels.map(({ host, port }) => ({ host, port }));
    return new Redis({ sentinels, name: this.group.masterName }).on("error", () => undefined);
  }

  protected stopServers(): Promise<void> {
    return this.group.stop();
  }
}
