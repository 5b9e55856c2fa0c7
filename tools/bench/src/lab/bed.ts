import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { startProgram } from "@millrace/local-redis/programs";
import { Redis } from "ioredis";
import { cpus, release, totalmem, type } from "node:os";
import { appMain } from "./contenders.ts";

/** How the publisher sends the events. */
export interface Load {
  readonly transport: "pubsub" | "stream";
  /** Events in a frame; `undefined`: bare lines. */
  readonly batch: number | undefined;
  /** @default 1 */
  readonly partitions?: number;
}

/** The channel or stream of all events. */
export const CHANNEL = "bench";

/** Without an output limit for subscribers: by default Redis disconnects one that is slow or paused. */
const REDIS_ARGS = ["--client-output-buffer-limit", "pubsub 0 0 0"];

interface Killable {
  kill(signal: NodeJS.Signals): void;
}

/** A Redis of its own, and the real publisher. */
export class Bed {
  readonly redis: LocalRedis;
  /** Client for inspecting Redis. */
  readonly client: Redis;
  readonly #programs = new Set<Killable>();

  private constructor(redis: LocalRedis) {
    this.redis = redis;
    this.client = new Redis(redis.url);
  }

  static async open(): Promise<Bed> {
    return new Bed(await startRedis({ args: REDIS_ARGS }));
  }

  /**
   * Runs the publisher until it has published this number of events. @returns how many it sent in a second
   *
   * @param wait for a subscriber. `@default "60s"`
   * @param rate events per second. `@default as fast as Redis takes them`
   */
  async publish(
    { transport, batch, partitions = 1 }: Load,
    events: number,
    { wait = "60s", rate }: { readonly wait?: string; readonly rate?: number | undefined } = {},
  ): Promise<number> {
    const program = startProgram(appMain("publisher"), {
      args: [
        `--generate=${rate ?? "max"}`,
        `--events=${events}`,
        `--transport=${transport}`,
        `--channel=${CHANNEL}`,
        `--partitions=${partitions}`,
        ...(batch === undefined ? [] : [`--batch=${batch}`]),
        ...(transport === "stream" ? [] : [`--wait-for-subscriber=${wait}`]),
      ],
      env: this.env,
    });
    this.adopt(program);
    const [report, { code }] = await Promise.all([program.logged("report"), program.ended]);
    if (code !== 0) throw new Error(`The publisher ended with exit code ${String(code)}.`);
    return Number(report["perSecond"]);
  }

  /** Kills a program at the next {@link clear}, if it still runs. */
  adopt(program: Killable): void {
    this.#programs.add(program);
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

  /** Ends all programs, and removes all events and results. */
  async clear(): Promise<void> {
    this.#kill();
    await this.client.flushall();
  }

  async close(): Promise<void> {
    this.#kill();
    this.client.disconnect();
    await this.redis.stop();
  }

  #kill(): void {
    for (const program of this.#programs) program.kill("SIGKILL");
    this.#programs.clear();
  }
}

/** The machine that figures were taken on: they mean something on such a machine only. */
export async function machineLine(bed: Bed | undefined): Promise<string> {
  const model = cpus()[0]?.model.trim() ?? "unknown";
  const memory = Math.round(totalmem() / 2 ** 30);
  const machine = `${cpus().length} cores of ${model}, ${memory} GiB, ${type()} ${release()}, Node ${process.version}`;
  const redis = /^redis_version:(\S+)/m.exec((await bed?.client.info("server")) ?? "")?.[1];
  return redis === undefined ? machine : `${machine}, Redis ${redis}`;
}
