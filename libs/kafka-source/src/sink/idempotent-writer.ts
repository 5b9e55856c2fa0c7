import type { TimeProvider } from "@millrace/dataflow";
import type { ProducerIdentity, RecordToWrite } from "../connection/kafka-client.ts";
import type { KafkaCluster } from "../connection/kafka-cluster.ts";
import { CODES, errorOf } from "../connection/protocol-codes.ts";
import { KafkaClosedError, KafkaNotReadyError, KafkaUnreachableError } from "../errors.ts";
import type { KafkaError } from "../errors.ts";

/** The broker does not know the producer any more, or not the numbers before: it begins again under a new name. */
const FORGOTTEN: readonly number[] = [
  CODES.outOfOrderSequence,
  CODES.invalidProducerEpoch,
  CODES.invalidProducerIdMapping,
  CODES.unknownProducer,
];
/** Numbers of records begin again at 0 after the last one of 31 bits. */
const NUMBERS = 2 ** 31;

/** Called when a batch was accepted, or is sent again. */
export interface WriteCounts {
  written(records: number, bytes: number): void;
  resent(records: number): void;
}

interface Batch {
  readonly records: readonly RecordToWrite[];
  readonly bytes: Buffer;
}

/**
 * Writes records to the partitions of a topic, in order in each, as an idempotent producer: batches are numbered, and one
 * that is sent again because its answer was lost is not stored twice. One batch of a partition is in flight at a time.
 */
export class IdempotentWriter {
  readonly #cluster: KafkaCluster;
  readonly #time: TimeProvider;
  readonly #counts: WriteCounts;
  #identity: ProducerIdentity | undefined;
  /** The number of the next record in each partition. */
  readonly #next = new Map<number, number>();
  #closed = false;

  constructor(cluster: KafkaCluster, time: TimeProvider, counts: WriteCounts) {
    this.#cluster = cluster;
    this.#time = time;
    this.#counts = counts;
  }

  /** Gets the producer's name, so that a missing permission shows at the start. @throws KafkaError */
  async begin(): Promise<void> {
    await this.#cluster.retry(() => this.#identify());
  }

  /** Resolves when all replicas that are in sync have the records. @throws KafkaError if the broker refuses them for good */
  async write(shares: ReadonlyMap<number, readonly RecordToWrite[]>): Promise<void> {
    let left: ReadonlyMap<number, readonly RecordToWrite[]> = shares;
    let batches: ReadonlyMap<number, Batch> = new Map();
    await this.#cluster.retry(async () => {
      if (this.#closed) throw new KafkaClosedError("the sink was closed before its rows were written");
      if (this.#identity === undefined) {
        await this.#identify();
        batches = new Map();
      }
      if (batches.size === 0) batches = this.#encode(left);
      try {
        const { accepted, failure } = await this.#send(batches);
        for (const partition of accepted) this.#accepted(partition, batches.get(partition));
        left = without(left, accepted);
        batches = without(batches, accepted);
        if (failure !== undefined) throw failure;
      } catch (error) {
        if (error instanceof KafkaUnreachableError) {
          for (const { records } of batches.values()) this.#counts.resent(records.length);
        }
        throw error;
      }
    });
  }

  /** No attempt begins any more. */
  close(): void {
    this.#closed = true;
  }

  async #identify(): Promise<void> {
    this.#identity = await this.#cluster.anyBroker((broker) => broker.beginProducer());
    this.#next.clear();
  }

  #encode(shares: ReadonlyMap<number, readonly RecordToWrite[]>): ReadonlyMap<number, Batch> {
    const identity = this.#identity;
    if (identity === undefined) throw new TypeError("a producer without a name");
    const now = this.#time.now();
    return new Map(
      Array.from(shares, ([partition, records]) => {
        const first = this.#next.get(partition) ?? 0;
        return [
          partition,
          { records, bytes: this.#cluster.client.encodeBatch(records, now, identity, first) },
        ];
      }),
    );
  }

  async #send(
    batches: ReadonlyMap<number, Batch>,
  ): Promise<{ readonly accepted: ReadonlySet<number>; readonly failure: Error | undefined }> {
    const byNode = new Map<number, Map<number, Buffer>>();
    for (const [partition, { bytes }] of batches) {
      const node = this.#cluster.metadata.leaders[partition] ?? -1;
      const ofNode = byNode.get(node) ?? new Map<number, Buffer>();
      byNode.set(node, ofNode.set(partition, bytes));
    }
    const accepted = new Set<number>();
    let failure: Error | undefined;
    const outcomes = await Promise.allSettled(
      Array.from(byNode, async ([node, ofNode]) => {
        const broker = await this.#cluster.broker(node);
        const { topic } = this.#cluster;
        return this.#cluster.reportIfSlow(`a write to topic "${topic}"`, broker.write(topic, ofNode));
      }),
    );
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        failure ??= asError(outcome.reason);
        continue;
      }
      for (const [partition, code] of outcome.value) {
        if (code === CODES.none || code === CODES.duplicateSequence) accepted.add(partition);
        else failure = this.#failureOf(code);
      }
    }
    return { accepted, failure };
  }

  #failureOf(code: number): KafkaError {
    const what = `a write to topic "${this.#cluster.topic}"`;
    if (!FORGOTTEN.includes(code)) return errorOf(code, what);
    this.#identity = undefined;
    return new KafkaNotReadyError(
      `Kafka refused ${what} for now: the broker has forgotten this producer, which begins again; some rows may be there twice.`,
    );
  }

  #accepted(partition: number, batch: Batch | undefined): void {
    if (batch === undefined) return;
    const next = (this.#next.get(partition) ?? 0) + batch.records.length;
    this.#next.set(partition, next % NUMBERS);
    this.#counts.written(batch.records.length, batch.bytes.length);
  }
}

function without<T>(all: ReadonlyMap<number, T>, some: ReadonlySet<number>): ReadonlyMap<number, T> {
  return new Map([...all].filter(([partition]) => !some.has(partition)));
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
