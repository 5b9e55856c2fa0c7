import { startRedis } from "@millrace/local-redis";
import { startProgram } from "@millrace/local-redis/programs";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { Redis } from "ioredis";
import { appMain } from "./entry-files.ts";

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

/**
 * Runs the publisher until it has published this number of events. @returns how many it sent in a second
 *
 * @param wait for a subscriber. `@default "60s"`
 * @param rate events per second. `@default as fast as Redis takes them`
 */
export async function publish(
  { programs, env }: Bed,
  { transport, batch, partitions = 1 }: Load,
  events: number,
  { wait = "60s", rate }: { readonly wait?: string; readonly rate?: number | undefined } = {},
): Promise<number> {
  const args = [
    `--generate=${rate ?? "max"}`,
    `--events=${events}`,
    `--transport=${transport}`,
    `--channel=${CHANNEL}`,
    `--partitions=${partitions}`,
    ...(batch === undefined ? [] : [`--batch=${batch}`]),
    ...(transport === "stream" ? [] : [`--wait-for-subscriber=${wait}`]),
  ];
  const program = startProgram(appMain("publisher"), { args, env });
  programs.push(program);
  const [report, { code }] = await Promise.all([program.logged("report"), program.ended]);
  if (code !== 0) throw new Error(`The publisher ended with exit code ${String(code)}.`);
  return Number(report["perSecond"]);
}
