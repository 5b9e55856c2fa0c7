import type { Sink } from "@millrace/dataflow";
import { KafkaSink } from "@millrace/kafka-source";
import type { LocalKafka } from "@millrace/local-kafka";
import type { LogLine, StartedProgram } from "@millrace/local-redis/programs";
import { RedisStreamSink, partitionNames } from "@millrace/redis-source";
import { inspectWorkers } from "@millrace/redis-store";
import type { TestBed } from "../conductor/test-bed.ts";
import type { Guard } from "../guard.ts";
import { CHANNEL, FLOW, SHARED_WAIT_MS } from "../names.ts";
import { zoneOf } from "./steady-publisher.ts";

export const PARTITIONS = 8;
export const LEASE_MS = 1_000;
/** A broker refuses sessions of less than 6 s, unless it has this property. */
export const SHORT_SESSIONS = { "group.min.session.timeout.ms": "500" };
const ARGS = [`--wait-ms=${SHARED_WAIT_MS}`, "--commit-every-events=100", "--commit-every-ms=200"];

/** Over what workers share: Redis streams; Kafka, as the command shares; Kafka, by its own group. */
export type Way =
  | { readonly kind: "streams" }
  | { readonly kind: "command" | "group"; readonly kafka: LocalKafka };

/** A sink that sends again what may not have arrived, and counts it. */
export interface PublisherSink extends Sink<string> {
  stats(): { readonly resent: number };
}

/** How workers share partitions, on a test bed. */
export interface Sharing {
  /** The partitions, as tasks are named. */
  readonly parts: readonly string[];
  /** The streams in Redis that carry the input; none over Kafka. */
  readonly streams: readonly string[];
  /** Takes the lines of the input. */
  readonly sink: PublisherSink;
  /** Starts a worker that shares. */
  startWorker(): Promise<StartedProgram>;
  /** Starts one that has all partitions, reads what is left, closes the windows and ends. */
  startLast(): Promise<StartedProgram>;
  /** How many partitions each live worker has. @param workers those that run */
  sizes(workers: readonly StartedProgram[]): Promise<readonly number[]>;
}

/**
 * Over Kafka each call makes a topic.
 *
 * @param without the guard to switch off
 */
export async function sharingOn(bed: TestBed, way: Way, without: Guard | undefined): Promise<Sharing> {
  if (way.kind === "streams") return new StreamSharing(bed, without);
  const { kind, kafka } = way;
  const topic = await newTopic(kafka);
  const Kind = kind === "command" ? CommandSharing : GroupSharing;
  return new Kind(bed, { kafka, topic, without });
}

/** By leases in Redis, in programs of the test's own. */
class StreamSharing implements Sharing {
  readonly parts = partitionNames(CHANNEL, PARTITIONS);
  readonly streams = this.parts;
  readonly sink: PublisherSink;
  readonly #bed: TestBed;
  readonly #without: Guard | undefined;

  constructor(bed: TestBed, without: Guard | undefined) {
    this.#bed = bed;
    this.#without = without;
    this.sink = new RedisStreamSink(
      { url: bed.toPublisher.url },
      {
        stream: CHANNEL,
        partitions: PARTITIONS,
        partitionedBy: "os_timezone",
        keyOf: zoneOf,
        // With numbers, so that what is sent again counts once.
        ...(without === "duplicate-numbers" ? {} : { batch: 16 }),
      },
    );
  }

  startWorker(): Promise<StartedProgram> {
    return this.#start([`--lease-ms=${LEASE_MS}`, ...withoutArg(this.#without)]);
  }

  startLast(): Promise<StartedProgram> {
    return this.#start(["--exit-when-idle-ms=500", "--close-windows=true"]);
  }

  sizes(): Promise<readonly number[]> {
    return sizesInRedis(this.#bed);
  }

  #start(args: readonly string[]): Promise<StartedProgram> {
    return this.#bed.startAggregator([...ARGS, `--partitions=${PARTITIONS}`, ...args]);
  }
}

/** What is shared over Kafka. */
interface TopicSharing {
  readonly kafka: LocalKafka;
  readonly topic: string;
  readonly without: Guard | undefined;
}

/** A topic, shared by leases in Redis, in the command as users start it. */
class CommandSharing implements Sharing {
  readonly parts: readonly string[];
  readonly streams = [];
  readonly sink: PublisherSink;
  readonly #bed: TestBed;
  readonly #without: Guard | undefined;
  readonly #args: readonly string[];

  constructor(bed: TestBed, { kafka, topic, without }: TopicSharing) {
    this.#bed = bed;
    this.#without = without;
    this.#args = [
      "--transport=kafka",
      `--brokers=${kafka.broker}`,
      `--channel=${topic}`,
      "--partition-by=os_timezone",
      "--sink=redis",
    ];
    this.parts = partsOf(topic);
    this.sink = topicSink(kafka, topic);
  }

  startWorker(): Promise<StartedProgram> {
    const sharing = ["--share", `--lease=${LEASE_MS}ms`, ...withoutArg(this.#without)];
    return this.#bed.startCommand([...this.#args, ...sharing]);
  }

  startLast(): Promise<StartedProgram> {
    return this.#bed.startCommand([...this.#args, "--exit-when-idle=500ms", "--close-windows"]);
  }

  sizes(): Promise<readonly number[]> {
    return sizesInRedis(this.#bed);
  }
}

/** A topic, shared by Kafka's own group, in programs of the test's own. Redis does not know who has what, so their logs say it. */
class GroupSharing implements Sharing {
  readonly parts: readonly string[];
  readonly streams = [];
  readonly sink: PublisherSink;
  readonly #bed: TestBed;
  readonly #without: Guard | undefined;
  readonly #args: readonly string[];
  readonly #shares = new Map<StartedProgram, Set<unknown>>();

  constructor(bed: TestBed, { kafka, topic, without }: TopicSharing) {
    this.#bed = bed;
    this.#without = without;
    this.#args = [...ARGS, "--transport=kafka", `--brokers=${kafka.broker}`, `--topic=${topic}`];
    this.parts = partsOf(topic);
    this.sink = topicSink(kafka, topic);
  }

  async startWorker(): Promise<StartedProgram> {
    const share = new Set<unknown>();
    const onLog = ({ event, part }: LogLine): void => {
      if (event === "part-gained") share.add(part);
      if (event === "part-gone") share.delete(part);
    };
    const args = [...this.#args, `--lease-ms=${LEASE_MS}`, ...withoutArg(this.#without)];
    const worker = await this.#bed.startAggregator(args, { onLog });
    this.#shares.set(worker, share);
    return worker;
  }

  startLast(): Promise<StartedProgram> {
    return this.#bed.startAggregator([...this.#args, "--exit-when-idle-ms=500", "--close-windows=true"]);
  }

  sizes(workers: readonly StartedProgram[]): Promise<readonly number[]> {
    return Promise.resolve(workers.map((worker) => this.#shares.get(worker)?.size ?? 0));
  }
}

let topics = 0;

async function newTopic(kafka: LocalKafka): Promise<string> {
  topics += 1;
  const topic = `${CHANNEL}-${topics}`;
  const args = ["--create", "--topic", topic, "--partitions", String(PARTITIONS)];
  await kafka.run({
    main: "org.apache.kafka.tools.TopicCommand",
    args: ["--bootstrap-server", kafka.broker, ...args],
  });
  return topic;
}

function topicSink({ broker }: LocalKafka, topic: string): PublisherSink {
  return new KafkaSink<string>({ brokers: broker }, { topic, keyOf: zoneOf });
}

function partsOf(topic: string): readonly string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => `${topic}-${partition}`);
}

async function sizesInRedis({ url }: TestBed): Promise<readonly number[]> {
  return (await inspectWorkers({ url }, FLOW)).map(({ parts }) => parts.length);
}

function withoutArg(without: Guard | undefined): readonly string[] {
  return without === undefined ? [] : [`--without=${without}`];
}
