import { SILENT_LOGGER, SYSTEM_TIME, withDefaults } from "@millrace/dataflow";
import type {
  Decoder,
  Json,
  PartContext,
  Partitioning,
  PositionCodec,
  RawLine,
  Source,
} from "@millrace/dataflow";
import { sourceFrom } from "@millrace/redis-source";
import type { Origin } from "@millrace/redis-source";
import { resolveKafka } from "../connection/connection-options.ts";
import type { KafkaConnectionOptions, KafkaTarget } from "../connection/connection-options.ts";
import { KafkaCluster } from "../connection/kafka-cluster.ts";
import { Shared } from "../connection/shared.ts";
import { KafkaTopicError } from "../errors.ts";
import { beginIn } from "./beginning.ts";
import { GroupProgress } from "./group-progress.ts";
import { KafkaPartition } from "./kafka-partition.ts";
import type { SharedReading } from "./kafka-partition.ts";
import { dividePosition, readResume, unitePosition } from "./position.ts";
import type { RecordCursor } from "./record-batch.ts";
import type { DeliverLines } from "./record-decoder.ts";
import { DEFAULT_KAFKA_SOURCE_OPTIONS, checkSourceSettings, checkTopic } from "./source-options.ts";
import type { KafkaSourceOptions, KafkaSourceSettings, KafkaStart } from "./source-options.ts";
import { TopicReader } from "./topic-reader.ts";

/** Where a line came from, and what came with it. A flow that reads channels or streams with their origin can read it. */
export interface RecordOrigin extends Origin {
  /** The same as `channel`. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Time of the record, ms; -1: it has none. */
  readonly time: number;
  /** The record's key as text; `undefined`: it has none. */
  readonly key: string | undefined;
  /** The record's headers as text; the same as `fields`. Of headers with the same name it is the last one. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A line with its {@link RecordOrigin}. */
export interface RecordLine extends RecordOrigin {
  readonly line: RawLine;
}

/**
 * Decodes the line of a {@link RecordLine} and combines the event with its origin.
 *
 * @param combine must not throw
 */
export function decodeRecordLine<T, U>(
  decoder: Decoder<RawLine, T>,
  combine: (event: T, origin: RecordOrigin) => U,
): Decoder<RecordLine, U> {
  return {
    decode(given) {
      const decoded = decoder.decode(given.line);
      return decoded.kind === "event" ? { kind: "event", event: combine(decoded.event, given) } : decoded;
    },
  };
}

/**
 * Reads the partitions of a Kafka topic, each as a partition of the flow, and only what is committed. The position is an
 * offset and part of the task's commit: after a crash, reading continues right after what was committed.
 *
 * Records that retention deletes before they are read are lost, and counted.
 */
export class KafkaSource implements Source<RawLine> {
  readonly partitioning: Partitioning;
  /** The account of numbers grows with the producers: a commit keeps what changed of it. */
  readonly positions: PositionCodec = { divide: dividePosition, unite: unitePosition };
  readonly #target: KafkaTarget;
  readonly #topic: string;
  readonly #settings: KafkaSourceSettings;
  /** By flow: all open partitions of a flow are read together. */
  readonly #shared = new Map<string, Shared<SharedReading>>();
  #parts: Promise<readonly string[]> | undefined;

  /** @throws KafkaOptionsError */
  constructor(connection: KafkaConnectionOptions, options: KafkaSourceOptions) {
    const { topic, partitionedBy, ...settings } = options;
    this.#target = resolveKafka(connection);
    this.#topic = checkTopic(topic);
    this.#settings = checkSourceSettings(withDefaults(DEFAULT_KAFKA_SOURCE_OPTIONS, settings));
    this.partitioning =
      partitionedBy === undefined ? { kind: "arbitrary" } : { kind: "by", field: partitionedBy };
  }

  /**
   * `topic-0`, `topic-1` and so on, as many as the topic has when they are asked for first: a topic that gets more
   * partitions later divides its keys anew, which a running flow must not follow.
   *
   * @throws KafkaError if there is no usable Kafka within `connectTimeoutMs`, or no such topic
   */
  listParts(): Promise<readonly string[]> {
    if (this.#parts === undefined) {
      const parts = this.#look();
      this.#parts = parts;
      parts.catch(() => {
        this.#parts = undefined;
      });
    }
    return this.#parts;
  }

  /** @throws KafkaPositionError for a position of another kind of source, such as Pub/Sub */
  checkPosition(_part: string, position: Json): void {
    readResume(position);
  }

  /**
   * @throws KafkaPositionError if `resume` is no position in a topic; KafkaError if there is no usable Kafka within
   *   `connectTimeoutMs`; KafkaTopicError if there is no such partition; the reason of the context's signal
   */
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<KafkaPartition> {
    return this.#open(part, resume, context, (lines) => lines);
  }

  /**
   * The same source, whose lines come with topic, partition, offset, key and headers. A flow reads either this or the
   * source itself.
   */
  withOrigin(): Source<RecordLine> {
    return sourceFrom(this, (part, resume, context) => {
      const partition = this.#partitionOf(part);
      return this.#open(part, resume, context, (lines, record) => {
        const origin = this.#originOf(partition, record);
        return lines.map((line) => ({ line, ...origin }));
      });
    });
  }

  /**
   * From which time on (ms) a task that begins at a place of a partition reads all of it, as it is now. It changes nothing.
   *
   * @returns −Infinity: it reads all that there ever was; `undefined`: only the first record that is read shows it
   * @throws KafkaError if there is no usable Kafka within `connectTimeoutMs`
   */
  wholeFrom(part: string, start: KafkaStart): Promise<number | undefined> {
    return this.#ask(async (cluster) => {
      const { position } = await beginIn(cluster, this.#partitionOf(part), start, SYSTEM_TIME.now());
      const { wholeFrom } = position;
      return wholeFrom === undefined ? Number.NEGATIVE_INFINITY : (wholeFrom ?? undefined);
    });
  }

  #look(): Promise<readonly string[]> {
    return this.#ask(({ metadata }) =>
      Promise.resolve(metadata.leaders.map((_, partition) => `${this.#topic}-${partition}`)),
    );
  }

  /** Connects for the duration of `use`. */
  async #ask<T>(use: (cluster: KafkaCluster) => Promise<T>): Promise<T> {
    const context = {
      step: this.#topic,
      logger: SILENT_LOGGER,
      time: SYSTEM_TIME,
      signal: new AbortController().signal,
    };
    const cluster = await KafkaCluster.open(this.#target, this.#topic, context);
    try {
      return await use(cluster);
    } finally {
      await cluster.close();
    }
  }

  async #open<T>(
    part: string,
    resume: Json | undefined,
    context: PartContext,
    deliver: DeliverLines<T>,
  ): Promise<KafkaPartition<T>> {
    const partition = this.#partitionOf(part);
    const { value: reading, release } = await this.#sharedIn(context).take();
    try {
      context.signal.throwIfAborted();
      if (reading.cluster.metadata.leaders[partition] === undefined) throw this.#noPartition(part);
      const own = { ...reading, release };
      return await KafkaPartition.open(part, partition, own, resume, this.#settings, deliver, context);
    } catch (error) {
      await release();
      throw error;
    }
  }

  #sharedIn({ flow, step, logger, time }: PartContext): Shared<SharedReading> {
    const before = this.#shared.get(flow);
    if (before !== undefined) return before;
    const { group, progressEveryMs } = this.#settings;
    const name = group === true ? flow : group;
    const open = async (): Promise<SharedReading> => {
      // Not the signal of one partition: the others still use it.
      const { signal } = new AbortController();
      const context = { step, logger, time, signal };
      const cluster = await KafkaCluster.open(this.#target, this.#topic, context);
      const progress =
        name === false ? undefined : new GroupProgress(cluster, name, progressEveryMs, context);
      return { cluster, reader: new TopicReader(cluster, this.#settings), progress };
    };
    const shared = new Shared(open, async ({ cluster, progress }) => {
      await progress?.close();
      await cluster.close();
    });
    this.#shared.set(flow, shared);
    return shared;
  }

  #originOf(partition: number, record: RecordCursor): RecordOrigin {
    const { offset, time, headers } = record;
    const topic = this.#topic;
    const key = record.key?.toString();
    return { topic, channel: topic, partition, offset, time, key, headers, fields: headers };
  }

  #partitionOf(part: string): number {
    const prefix = `${this.#topic}-`;
    const digits = part.startsWith(prefix) ? part.slice(prefix.length) : "";
    if (!/^\d{1,9}$/.test(digits)) throw this.#noPartition(part);
    return Number(digits);
  }

  #noPartition(part: string): KafkaTopicError {
    return new KafkaTopicError(
      `There is no partition "${part}" of topic "${this.#topic}". Its partitions are ${this.#topic}-0 and so on; a topic cannot lose one.`,
    );
  }
}
