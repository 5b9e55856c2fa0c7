import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { startProgram } from "@millrace/local-redis/programs";
import { Redis } from "ioredis";
import { cpus, release, totalmem, type } from "node:os";
import { appMain } from "./programs.ts";

/** How the publisher sends the events. */
export interface Load {
  readonly transport: "pubsub" | "stream";
  /** Events in a frame; `undefined`: bare lines. */
  readonly batch: number | undefined;
  /** @default 1 */
  readonly partitions?: number;
  /** Whether there is or will be a subscriber. @default true */
  readonly heard?: boolean;
}

/** Without an output limit for subscribers: by default Redis disconnects one that is slow or paused. */
const REDIS_ARGS = ["--client-output-buffer-limit", "pubsub 0 0 0"];

/** A Redis of its own, and the real publisher. */
export class Bed {
  readonly redis: LocalRedis;
  /** Client for inspecting Redis. */
  readonly client: Redis;
  readonly #programs: { kill(signal: NodeJS.Signals): void }[] = [];
  #channels = 0;

  private constructor(redis: LocalRedis) {
    this.redis = redis;
    this.client = new Redis(redis.url);
  }

  static async open(): Promise<Bed> {
    return new Bed(await startRedis({ args: REDIS_ARGS }));
  }

  /** A channel or stream that is not used yet. */
  newChannel(): string {
    this.#channels += 1;
    return `bench_${this.#channels}`;
  }

  /**
   * Runs the publisher until it has published this number of events. @returns how many it sent in a second
   *
   * @param rate events per second. `@default as fast as Redis takes them`
   */
  async publish(
    { transport, batch, partitions = 1, heard = true }: Load,
    channel: string,
    events: number,
    rate?: number,
  ): Promise<number> {
    const program = startProgram(appMain("publisher"), {
      args: [
        `--generate=${rate ?? "max"}`,
        `--events=${events}`,
        `--transport=${transport}`,
        `--channel=${channel}`,
        `--partitions=${partitions}`,
        ...(batch === undefined ? [] : [`--batch=${batch}`]),
        ...(heard ? [] : ["--wait-for-subscriber=0"]),
      ],
      env: this.env,
    });
    this.adopt(program);
    const [report, { code }] = await Promise.all([program.logged("report"), program.ended]);
    if (code !== 0) throw new Error(`The publisher ended with exit code ${String(code)}.`);
    return Number(report["perSecond"]);
  }

  /** Kills a program when this bed closes, if it still runs. */
  adopt(program: { kill(signal: NodeJS.Signals): void }): void {
    this.#programs.push(program);
  }

  /** Gives programs of this project the address of Redis, and takes their other variables away. */
  get env(): Readonly<Record<string, string>> {
    const others = Object.keys(process.env).filter((name) =>
      /^(REDIS_|MILLRACE_|EVENTS_JSONL_FILE)/.test(name),
    );
    return {
      ...Object.fromEntries(others.map((name) => [name, ""])),
      REDIS_URL: this.redis.url,
      MILLRACE_LOG_FORMAT: "json",
    };
  }

  /** The rows that the aggregator keeps in Redis, of all windows and partitions, by where they are. */
  async keptRows(): Promise<ReadonlyMap<string, string>> {
    const rows = new Map<string, string>();
    for await (const names of this.client.scanStream({ match: "millrace:*:results:out:*", type: "hash" })) {
      for (const name of names as readonly string[]) {
        const found = Object.entries(await this.client.hgetall(name));
        for (const [field, row] of found) rows.set(`${name} ${field}`, row);
      }
    }
    return rows;
  }

  /** Removes all events and results. */
  async clear(): Promise<void> {
    await this.client.flushall();
  }

  async close(): Promise<void> {
    for (const program of this.#programs) program.kill("SIGKILL");
    this.client.disconnect();
    await this.redis.stop();
  }
}

/** The machine that figures were taken on: they mean something on such a machine only. */
export async function machineLine(bed: Bed | undefined): Promise<string> {
  const model = cpus()[0]?.model.trim() ?? "unknown";
  const memory = Math.round(totalmem() / 2 ** 30);
  const machine = `${cpus().length} cores of ${model}, ${memory} GiB, ${type()} ${release()}, Node ${process.version}`;
  const info = (await bed?.client.info("server")) ?? "";
  // Valkey has a version of Redis as well.
  const [, server, version] =
    /^(valkey)_version:(\S+)/m.exec(info) ?? /^(redis)_version:(\S+)/m.exec(info) ?? [];
  if (server === undefined || version === undefined) return machine;
  return `${machine}, ${server === "valkey" ? "Valkey" : "Redis"} ${version}`;
}
