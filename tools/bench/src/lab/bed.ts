import { KafkaClient } from "@kafkats/client";
import { startKafka } from "@millrace/local-kafka";
import type { LocalKafka } from "@millrace/local-kafka";
import { startRedis } from "@millrace/local-redis";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { Redis } from "ioredis";

/** What the publisher sends. */
export interface Load {
  /** At a scale of 1, without those of a warm-up. */
  readonly events: number;
  readonly transport: "pubsub" | "sharded" | "stream" | "kafka";
  /** Events in a frame; `undefined`: bare lines. Kafka gets bare lines always. */
  readonly batch: number | undefined;
  /** @default 1 */
  readonly partitions?: number;
  /** The field by which events are divided among partitions. @default os_timezone */
  readonly partitionBy?: string;
}

/** The channel, stream or topic of all events. */
export const CHANNEL = "bench";

export const LINES: Load = { transport: "pubsub", batch: undefined, events: 1_000_000 };
export const FRAMES: Load = { transport: "pubsub", batch: 64, events: 3_000_000 };

/** Without an output limit for subscribers: by default Redis disconnects one that is slow or paused. */
const REDIS_ARGS = ["--client-output-buffer-limit", "pubsub 0 0 0"];

/** A Redis of its own, with a Kafka for loads that need one, and programs that use them. */
export interface Bed {
  readonly url: string;
  /** `host:port` of Kafka; empty: there is none. */
  readonly broker: string;
  /** Client for inspecting Redis. */
  readonly client: Redis;
  /** Gives programs of this project the addresses of Redis and Kafka, and takes their other variables away. */
  readonly env: Readonly<Record<string, string>>;
  /** Killed at the end, those that still run then. */
  readonly programs: StartedProgram[];
}

/** Makes a bed, and removes it when it is no longer used. */
export async function withBed<T>(use: (bed: Bed) => Promise<T>, load?: Load): Promise<T> {
  const redis = await startRedis({ args: REDIS_ARGS });
  const kafka = load?.transport === "kafka" ? await startTopic(load.partitions ?? 1) : undefined;
  const client = new Redis(redis.url);
  const programs: StartedProgram[] = [];
  const own = Object.keys(process.env).filter((name) =>
    /^(REDIS_|KAFKA_|MILLRACE_|EVENTS_JSONL_FILE)/.test(name),
  );
  const broker = kafka?.broker ?? "";
  const env = {
    ...Object.fromEntries(own.map((name) => [name, ""])),
    REDIS_URL: redis.url,
    KAFKA_BROKERS: broker,
  };
  try {
    return await use({ url: redis.url, broker, client, env, programs });
  } finally {
    for (const program of programs) program.kill("SIGKILL");
    client.disconnect();
    await Promise.all([redis.stop(), kafka?.stop()]);
  }
}

/** A broker with the topic of all events. */
async function startTopic(partitions: number): Promise<LocalKafka> {
  const kafka = await startKafka();
  const client = new KafkaClient({ clientId: "bench", brokers: [kafka.broker], logLevel: "silent" });
  await client.connect();
  await client.createTopics([{ name: CHANNEL, numPartitions: partitions }]);
  await client.disconnect();
  return kafka;
}
