import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import type { RecordToWrite } from "../connection/kafka-client.ts";
import { resolveKafka } from "../connection/connection-options.ts";
import type { KafkaConnectionOptions, KafkaTarget } from "../connection/connection-options.ts";
import { KafkaCluster } from "../connection/kafka-cluster.ts";
import { Shared } from "../connection/shared.ts";
import { KafkaOptionsError } from "../errors.ts";
import { checkTopic } from "../source/source-options.ts";
import { IdempotentWriter } from "./idempotent-writer.ts";
import type { WriteCounts } from "./idempotent-writer.ts";
import { partitionOfKey } from "./murmur2.ts";

/** Options of {@link KafkaSink}. */
export interface KafkaSinkOptions<T> {
  readonly topic: string;
  /**
   * The record's key. It decides the partition as in Java's producer (murmur2), so that other programs' records with the
   * same key are in the same one. `undefined`: no key.
   * `@default no key: each write fills one partition, in turn`
   */
  readonly keyOf?: (row: T) => string | undefined;
  /** The record's value. `@default text and bytes as they are, anything else as JSON` */
  readonly encode?: (row: T) => string | Uint8Array;
  /** Headers of the record. `@default none` */
  readonly headersOf?: (row: T) => Readonly<Record<string, string>>;
  /** Most bytes of records in one batch, of which one is in flight in each partition; a larger record is sent alone. `@default 262_144 (256 KiB)` */
  readonly maxBatchBytes?: number;
  /** Called with the counts so far whenever a broker has answered, many rows at a time. It must not throw. */
  readonly onProgress?: (stats: KafkaSinkStats) => void;
}

/** What a sink has written, all parts together. */
export interface KafkaSinkStats {
  /** Rows that Kafka has accepted. */
  readonly published: number;
  /** Bytes of their batches. */
  readonly bytes: number;
  /** Rows sent again because the connection was lost before their answer; the broker stores them once. */
  readonly resent: number;
  /** Rows that were given to the sink and that Kafka has not accepted. */
  readonly unsent: number;
  /** How often requests began to fail. */
  readonly disconnects: number;
}

const DEFAULT_MAX_BATCH_BYTES = 256 * 1_024;
/** Bytes of a record besides key, value and headers, at most. */
const RECORD_BYTES = 32;

/**
 * Writes rows to a Kafka topic, each as a record, as an idempotent producer with acknowledgement by all replicas. A write
 * resolves when Kafka has accepted its rows.
 *
 * While the sink is open, a row that is sent again is stored once. After a crash, rows since the last commit are written
 * again: at least once. A reader recognises them by what identifies a row, such as window, key and revision
 * ({@link KafkaResultSink}).
 */
export class KafkaSink<T = string | Uint8Array> implements Sink<T> {
  readonly #target: KafkaTarget;
  readonly #options: KafkaSinkOptions<T>;
  readonly #maxBatchBytes: number;
  #shared: Shared<KafkaCluster> | undefined;
  #given = 0;
  #published = 0;
  #bytes = 0;
  #resent = 0;
  #disconnects = 0;

  /** @throws KafkaOptionsError */
  constructor(connection: KafkaConnectionOptions, options: KafkaSinkOptions<T>) {
    this.#target = resolveKafka(connection);
    checkTopic(options.topic);
    const { maxBatchBytes = DEFAULT_MAX_BATCH_BYTES } = options;
    if (!Number.isSafeInteger(maxBatchBytes) || maxBatchBytes < 1) {
      throw new KafkaOptionsError(`maxBatchBytes is ${maxBatchBytes}. Give a whole number of at least 1.`);
    }
    this.#options = options;
    this.#maxBatchBytes = maxBatchBytes;
  }

  /** Counts so far; complete when the run is over. */
  stats(): KafkaSinkStats {
    return {
      published: this.#published,
      bytes: this.#bytes,
      resent: this.#resent,
      unsent: this.#given - this.#published,
      disconnects: this.#disconnects,
    };
  }

  /**
   * @throws KafkaError if there is no usable Kafka within `connectTimeoutMs`, no such topic, or no permission to write; the
   *   reason of the context's signal
   */
  async buildPart(_part: string, _resume: Json | undefined, context: PartContext): Promise<SinkPartition<T>> {
    this.#shared ??= this.#share(context);
    const { value: cluster, release } = await this.#shared.take();
    const counts: WriteCounts = {
      written: (records, bytes) => {
        this.#published += records;
        this.#bytes += bytes;
        this.#disconnects = cluster.outages;
        this.#options.onProgress?.(this.stats());
      },
      resent: (records) => {
        this.#resent += records;
      },
    };
    const writer = new IdempotentWriter(cluster, context.time, counts);
    try {
      context.signal.throwIfAborted();
      await writer.begin();
    } catch (error) {
      await release();
      throw error;
    }
    const write = (rows: readonly T[]): Promise<void> => this.#write(cluster, writer, rows);
    return new KafkaSinkPart(write, context.signal, async () => {
      writer.close();
      await release();
    });
  }

  #share({ step, logger, time }: PartContext): Shared<KafkaCluster> {
    // Not the signal of one part: the others still use it.
    const { signal } = new AbortController();
    return new Shared(
      () => KafkaCluster.open(this.#target, this.#options.topic, { step, logger, time, signal }),
      (cluster) => cluster.close(),
    );
  }

  async #write(cluster: KafkaCluster, writer: IdempotentWriter, rows: readonly T[]): Promise<void> {
    const first = this.#given;
    this.#given += rows.length;
    const partitions = cluster.metadata.leaders.length;
    const shares = new Map<number, RecordToWrite[]>();
    const inTurn = first % partitions;
    for (const row of rows) {
      const record = this.#recordOf(row);
      const partition = record.key === null ? inTurn : partitionOfKey(record.key, partitions);
      const share = shares.get(partition);
      if (share === undefined) shares.set(partition, [record]);
      else share.push(record);
    }
    const queues = new Map(
      Array.from(shares, ([partition, share]) => [partition, inBatches(share, this.#maxBatchBytes)]),
    );
    for (;;) {
      const round = new Map<number, readonly RecordToWrite[]>();
      for (const [partition, queue] of queues) {
        const batch = queue.shift();
        if (batch !== undefined) round.set(partition, batch);
      }
      if (round.size === 0) return;
      await writer.write(round);
    }
  }

  #recordOf(row: T): RecordToWrite {
    const { keyOf, encode, headersOf } = this.#options;
    const key = keyOf?.(row);
    const value = encode === undefined ? asItIs(row) : encode(row);
    const headers = headersOf === undefined ? [] : Object.entries(headersOf(row));
    return {
      key: key === undefined ? null : Buffer.from(key),
      value: typeof value === "string" ? Buffer.from(value) : asBuffer(value),
      headers: headers.map(([name, text]) => ({ key: name, value: Buffer.from(text) })),
    };
  }
}

/** The part of one task. */
class KafkaSinkPart<T> implements SinkPartition<T> {
  readonly #write: (rows: readonly T[]) => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #aborted: Promise<never>;
  readonly #onClosed: () => Promise<void>;

  constructor(
    write: (rows: readonly T[]) => Promise<void>,
    signal: AbortSignal,
    onClosed: () => Promise<void>,
  ) {
    this.#write = write;
    this.#signal = signal;
    this.#onClosed = onClosed;
    this.#aborted = new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      });
    });
    // It matters only to a write.
    this.#aborted.catch(() => undefined);
  }

  async writeBatch(rows: readonly T[]): Promise<void> {
    this.#signal.throwIfAborted();
    if (rows.length > 0) await Promise.race([this.#write(rows), this.#aborted]);
  }

  /** A write has resolved only when its rows were accepted. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#onClosed();
  }
}

function asItIs(row: unknown): string | Uint8Array {
  return typeof row === "string" || row instanceof Uint8Array ? row : JSON.stringify(row);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The records in order, in batches of at most this many bytes. */
function inBatches(records: readonly RecordToWrite[], maxBytes: number): (readonly RecordToWrite[])[] {
  const batches: RecordToWrite[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const size = sizeOf(record);
    if (bytes + size > maxBytes) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(record);
    bytes += size;
  }
  return batches;
}

function sizeOf({ key, value, headers }: RecordToWrite): number {
  let size = RECORD_BYTES + (key?.length ?? 0) + value.length;
  for (const header of headers) size += RECORD_BYTES + header.key.length + header.value.length;
  return size;
}
