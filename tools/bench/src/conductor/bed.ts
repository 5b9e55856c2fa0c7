import { startProgram } from "@millrace/local-redis/programs";
import type { LogLine, StartedProgram } from "@millrace/local-redis/programs";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { Redis } from "ioredis";
import { appMain } from "./paths.ts";

/** How events travel from the publisher on. */
export interface Load {
  readonly transport: "pubsub" | "stream";
  /** Events in a frame; `undefined`: bare lines. */
  readonly batch: number | undefined;
  /** @default 1 */
  readonly partitions?: number;
}

/** Whoever falls behind finds everything that was sent; a Redis in use would cut the connection at some point. */
const REDIS_ARGS = ["--client-output-buffer-limit", "pubsub 0 0 0"];

/** A Redis of one's own, and the real publisher. */
export class Bed {
  readonly redis: LocalRedis;
  /** For looks at Redis from outside. */
  readonly client: Redis;
  readonly #programs = new Set<StartedProgram>();
  #channels = 0;

  private constructor(redis: LocalRedis) {
    this.redis = redis;
    this.client = new Redis(redis.url);
  }

  static async open(): Promise<Bed> {
    return new Bed(await startRedis({ args: REDIS_ARGS }));
  }

  /** A channel or stream that nobody has used before. */
  newChannel(): string {
    this.#channels += 1;
    return `bench_${this.#channels}`;
  }

  /**
   * Runs the publisher until it has published so many events; its report tells how that went.
   *
   * @param rate events per second. `@default as fast as Redis takes them`
   * @param heard whether somebody is or will be subscribed. `@default true`
   */
  async publish(
    load: Load,
    channel: string,
    events: number,
    { rate, heard = true }: { readonly rate?: number; readonly heard?: boolean } = {},
  ): Promise<LogLine> {
    const { transport, batch, partitions = 1 } = load;
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
    this.#programs.add(program);
    const report = program.logged("report");
    // If it fails, that is told by `report` too.
    report.catch(() => undefined);
    const { code } = await program.ended;
    this.#programs.delete(program);
    if (code !== 0) throw new Error(`The publisher ended with exit code ${String(code)}.`);
    return report;
  }

  /** Tells programs of this project where Redis is, and nothing else. */
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

  /** Forgets all events and results. */
  async clear(): Promise<void> {
    await this.client.flushall();
  }

  async close(): Promise<void> {
    for (const program of this.#programs) program.kill("SIGKILL");
    this.client.disconnect();
    await this.redis.stop();
  }
}
