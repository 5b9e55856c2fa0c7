import { startRedis } from "@millrace/local-redis";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { Redis } from "ioredis";

/** What the publisher sends. */
export interface Load {
  /** At a scale of 1, without those of a warm-up. */
  readonly events: number;
  readonly transport: "pubsub" | "stream";
  /** Events in a frame; `undefined`: bare lines. */
  readonly batch: number | undefined;
  /** @default 1 */
  readonly partitions?: number;
}

/** The channel or stream of all events. */
export const CHANNEL = "bench";

export const LINES: Load = { transport: "pubsub", batch: undefined, events: 1_000_000 };
export const FRAMES: Load = { transport: "pubsub", batch: 64, events: 3_000_000 };

/** Without an output limit for subscribers: by default Redis disconnects one that is slow or paused. */
const REDIS_ARGS = ["--client-output-buffer-limit", "pubsub 0 0 0"];

/** A Redis of its own, and programs that use it. */
export interface Bed {
  readonly url: string;
  /** Client for inspecting Redis. */
  readonly client: Redis;
  /** Gives programs of this project the address of Redis, and takes their other variables away. */
  readonly env: Readonly<Record<string, string>>;
  /** Killed at the end, those that still run then. */
  readonly programs: StartedProgram[];
}

/** Makes a bed, and removes it when it is no longer used. */
export async function withBed<T>(use: (bed: Bed) => Promise<T>): Promise<T> {
  const redis = await startRedis({ args: REDIS_ARGS });
  const client = new Redis(redis.url);
  const programs: StartedProgram[] = [];
  const own = Object.keys(process.env).filter((name) => /^(REDIS_|MILLRACE_|EVENTS_JSONL_FILE)/.test(name));
  const env = { ...Object.fromEntries(own.map((name) => [name, ""])), REDIS_URL: redis.url };
  try {
    return await use({ url: redis.url, client, env, programs });
  } finally {
    for (const program of programs) program.kill("SIGKILL");
    client.disconnect();
    await redis.stop();
  }
}
