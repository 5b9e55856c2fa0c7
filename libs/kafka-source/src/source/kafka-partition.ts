import type {
  Completeness,
  Drained,
  Json,
  PartContext,
  RawLine,
  SourceBatch,
  SourcePartition,
  SourceStats,
} from "@millrace/dataflow";
import { EventColumns, ProducerLedger, SuspicionLog } from "@millrace/redis-source";
import type { PartitionAnswer } from "../connection/kafka-client.ts";
import type { KafkaCluster } from "../connection/kafka-cluster.ts";
import { KafkaClosedError } from "../errors.ts";
import { committedBatches } from "./committed-batches.ts";
import type { CommittedBatch } from "./committed-batches.ts";
import type { GroupProgress } from "./group-progress.ts";
import { Losses } from "./losses.ts";
import { PartitionQueue } from "./partition-queue.ts";
import { beginIn } from "./beginning.ts";
import type { Gone } from "./beginning.ts";
import { readPosition, readResume, writePosition } from "./position.ts";
import type { KafkaPosition, Resume } from "./position.ts";
import { RecordCursor, checkBatch, storedRecords } from "./record-batch.ts";
import { RecordDecoder } from "./record-decoder.ts";
import type { DeliverLines } from "./record-decoder.ts";
import type { KafkaSourceSettings } from "./source-options.ts";
import type { Jump, TopicReader } from "./topic-reader.ts";

const END: SourceBatch<never> = Object.freeze({ kind: "end" });
/** Retention that overtakes a slow reader again and again would fill the log. */
const LOG_LOSS_EVERY_MS = 10_000;

/** Counts of one partition since it was opened. */
export interface KafkaStats extends SourceStats {
  /** Records read; several events may share one. */
  readonly records: number;
  /** Offsets that retention deleted before they were read; an upper bound of the records. They are part of `lost`. */
  readonly lostOffsets: number;
  /** Records without a value, or with one that cannot be read. */
  readonly malformed: number;
  readonly disconnects: number;
}

/** What the partitions of a source share. */
export interface SharedReading {
  readonly cluster: KafkaCluster;
  readonly reader: TopicReader;
  /** `undefined`: no group shows the progress. */
  readonly progress: GroupProgress | undefined;
}

/** A partition's share of it; with the last release it is closed. */
type ShareOfReading = SharedReading & { readonly release: () => Promise<void> };

/** One partition of a topic. Reading deletes nothing, so what was not delivered is read again. */
export class KafkaPartition<T = RawLine> implements SourcePartition<T> {
  readonly #name: string;
  readonly #shared: ShareOfReading;
  readonly #settings: KafkaSourceSettings;
  readonly #context: PartContext;
  readonly #queue: PartitionQueue;
  readonly #ledger: ProducerLedger;
  readonly #losses: Losses;
  readonly #decoder: RecordDecoder<T>;
  /** `null`: the first record shows it. */
  #wholeFrom: number | null | undefined;
  #topicId: string;
  /** Of the topic, when reading began. */
  readonly #partitions: number;
  /** The next offset to deliver. */
  #offset: number;
  /** The batches of the answer that is being delivered, and its bytes. */
  #batches: Generator<CommittedBatch, void, undefined> | undefined;
  #answer: PartitionAnswer | undefined;
  /** The batch of which some records are delivered. */
  #batch: CommittedBatch | undefined;
  #cursor: RecordCursor | undefined;
  #over = false;
  #read = 0;
  #records = 0;
  #lostOffsets = 0;
  /** Time of the last record, ms. */
  #lastTime = Number.NEGATIVE_INFINITY;
  /** The log has been read up to this time, ms. */
  #readUpTo = Number.NEGATIVE_INFINITY;
  /** The time (ms) from which on records may be missing that are not counted; windows ask the losses. */
  #uncertainSince: number | undefined;
  #logLossAt = Number.NEGATIVE_INFINITY;

  private constructor(
    name: string,
    partition: number,
    shared: ShareOfReading,
    position: KafkaPosition,
    settings: KafkaSourceSettings,
    deliver: DeliverLines<T>,
    context: PartContext,
  ) {
    this.#name = name;
    this.#shared = shared;
    this.#settings = settings;
    this.#context = context;
    this.#topicId = position.topicId;
    this.#partitions = shared.cluster.metadata.leaders.length;
    this.#offset = position.offset;
    this.#losses = new Losses(position.losses);
    this.#wholeFrom = position.wholeFrom;
    this.#ledger = new ProducerLedger(settings.ledger, position.ledger, position.wholeFrom ?? undefined);
    this.#queue = new PartitionQueue(partition, position.topicId, position.offset, settings.maxFetchBytes);
    const suspicions = new SuspicionLog(name, context);
    this.#decoder = new RecordDecoder(deliver, this.#ledger, suspicions, (payload, reason) => {
      context.reject(payload, reason);
    });
  }

  /** @throws KafkaError; the reason of the context's signal */
  static async open<T>(
    name: string,
    partition: number,
    shared: ShareOfReading,
    resume: Json | undefined,
    settings: KafkaSourceSettings,
    deliver: DeliverLines<T>,
    context: PartContext,
  ): Promise<KafkaPartition<T>> {
    const from: Resume = resume === undefined ? { kind: "start", start: settings.start } : readResume(resume);
    const { position, gone } =
      from.kind === "position"
        ? { ...from, gone: undefined }
        : await beginIn(shared.cluster, partition, from.start, context.time.now());
    const opened = new KafkaPartition(name, partition, shared, position, settings, deliver, context);
    if (gone !== undefined) opened.#beginsLater(gone);
    shared.reader.add(opened.#queue);
    const { step, logger } = context;
    warnIfRedivided(name, position, opened.#partitions, context);
    logger.info(
      { event: "reading", part: name, step, from: position.offset, resumed: from.kind === "position" },
      `reading ${name} from offset ${position.offset}`,
    );
    return opened;
  }

  async nextBatch(): Promise<SourceBatch<T>> {
    try {
      for (;;) {
        if (this.#over) return END;
        const columns = new EventColumns<T>();
        if (await this.#deliver(columns)) return this.#batchOf(columns);
        if (this.#queue.failure !== undefined) throw this.#queue.failure;
        await this.#queue.arrival();
      }
    } catch (error) {
      if (this.#over && error instanceof KafkaClosedError) return END;
      throw error;
    }
  }

  /**
   * Proves it by the end of the log: the high watermark, asked for after `at`, is the position. It is never below the last
   * stable offset, so no transaction is open either: its events would still come.
   */
  async drained(): Promise<Drained | undefined> {
    const { cluster } = this.#shared;
    const { partition } = this.#queue;
    try {
      let proof: Drained | undefined;
      const end = await cluster.retry(async () => {
        const leader = await cluster.leaderOf(partition);
        proof = { at: this.#context.time.now(), connection: cluster.connections };
        return leader.endOf(cluster.topic, partition, "latest");
      });
      if (this.#over || proof === undefined || end !== this.#offset) return undefined;
      if (this.#topicId !== cluster.metadata.topicId) return undefined;
      this.#readUpTo = Math.max(this.#readUpTo, proof.at);
      return proof;
    } catch (error) {
      if (error instanceof KafkaClosedError) return undefined;
      throw error;
    }
  }

  snapshot(): Json {
    return writePosition({
      topicId: this.#topicId,
      partitions: this.#partitions,
      offset: this.#offset,
      losses: this.#losses.snapshot(),
      ledger: this.#ledger.snapshot(),
      wholeFrom: this.#wholeFrom,
    });
  }

  /** Shows the offset in the group in the background: the commit does not wait for it. */
  committed(position: Json): Promise<void> {
    this.#shared.progress?.committed(this.#queue.partition, readPosition(position).offset);
    return Promise.resolve();
  }

  /** What the log had counts as all there was: a producer knows of each record that it could not write. */
  completeness(open: number, close: number): Completeness {
    const inLog = this.#losses.completeness(open, close);
    if (inLog === "unknown") return inLog;
    const numbered = this.#ledger.completeness(open, close);
    if (typeof numbered === "object") return plus(inLog, numbered);
    if (typeof inLog === "object") return inLog;
    return numbered === true || this.#readUpTo >= close ? true : "unknown";
  }

  /** A record may come after a later one, by its producer's clock: of a bare one no heartbeat says so. */
  settledUpTo(): number {
    return this.#decoder.bare ? Number.NEGATIVE_INFINITY : this.#ledger.settledUpTo(this.#context.time.now());
  }

  wholeFrom(): number {
    if (this.#wholeFrom === undefined) return Number.NEGATIVE_INFINITY;
    return this.#wholeFrom ?? Number.POSITIVE_INFINITY;
  }

  stats(): KafkaStats {
    const { duplicates, lost, possibleDuplicates, suspicious } = this.#ledger.stats();
    const { cluster } = this.#shared;
    return {
      read: this.#read,
      duplicates,
      possibleDuplicates,
      suspicious,
      lost: lost + this.#lostOffsets,
      queued: this.#queue.records,
      records: this.#records,
      lostOffsets: this.#lostOffsets,
      malformed: this.#decoder.malformed,
      entriesBehind: Math.max(0, this.#queue.end - this.#offset),
      disconnects: cluster.outages,
      connected: !cluster.isClosed && cluster.outages === cluster.recoveries,
      reconnects: cluster.recoveries,
      ...(this.#uncertainSince === undefined ? {} : { uncertainSince: this.#uncertainSince }),
    };
  }

  /** What was read and not delivered stays in the topic. */
  stop(): void {
    this.#over = true;
    this.#shared.reader.remove(this.#queue);
    this.#queue.wake();
  }

  async close(): Promise<void> {
    this.stop();
    await this.#shared.release();
  }

  /** Delivers what has arrived, up to the bound of a batch. @returns whether the position has moved */
  async #deliver(columns: EventColumns<T>): Promise<boolean> {
    const before = this.#offset;
    let moved = false;
    while (columns.length < this.#settings.maxBatchEvents) {
      if (this.#cursor !== undefined && this.#batch !== undefined) {
        this.#deliverRecords(this.#cursor, this.#batch, columns);
      } else if (!(await this.#openBatch())) {
        const arrived = this.#queue.shift();
        if (arrived === undefined) break;
        if (arrived.kind === "jump") {
          this.#follow(arrived.jump);
          moved = true;
        } else {
          this.#answer = arrived.answer;
          this.#batches = committedBatches(arrived.answer);
        }
        // The reader may wait for the room that there is now.
        this.#shared.reader.wake();
      }
    }
    return moved || this.#offset !== before;
  }

  /** Opens the next batch of the answer. @returns `false`: there is none */
  async #openBatch(): Promise<boolean> {
    const batch = this.#batches?.next().value;
    if (this.#answer === undefined || batch === undefined) {
      this.#batches = undefined;
      this.#answer = undefined;
      return false;
    }
    if (batch.endOffset <= this.#offset) return true;
    if (!batch.delivered) {
      this.#offset = batch.endOffset;
      return true;
    }
    const { client } = this.#shared.cluster;
    const { records } = this.#answer;
    checkBatch(records, batch, client.checksumOf);
    const stored = storedRecords(records, batch);
    const bytes = batch.codec === 0 ? stored : await client.decompress(batch.codec, stored);
    this.#cursor = new RecordCursor(bytes, batch);
    this.#batch = batch;
    return true;
  }

  #deliverRecords(cursor: RecordCursor, batch: CommittedBatch, columns: EventColumns<T>): void {
    const byProducer = batch.brokerTime === undefined;
    const { maxBatchEvents } = this.#settings;
    while (columns.length < maxBatchEvents) {
      if (!cursor.next()) {
        this.#cursor = undefined;
        this.#batch = undefined;
        this.#offset = batch.endOffset;
        return;
      }
      // A batch is read whole, also if only its end is new.
      if (cursor.offset < this.#offset) continue;
      if (this.#losses.end(cursor.time)) this.#ledger.interrupted(cursor.time);
      // Of one millisecond some records may be before it.
      if (this.#wholeFrom === null) this.#wholeFrom = cursor.time + 1;
      this.#decoder.decode(cursor, byProducer, columns);
      this.#records += 1;
      this.#lastTime = cursor.time;
      this.#offset = cursor.offset + 1;
    }
  }

  #batchOf(columns: EventColumns<T>): SourceBatch<T> {
    const { events, times } = columns.columns();
    this.#read += events.length;
    // A time in the future is that of a wrong clock.
    this.#readUpTo = Math.max(this.#readUpTo, Math.min(this.#lastTime, this.#context.time.now()));
    return times === undefined ? { kind: "batch", events } : { kind: "batch", events, times };
  }

  /** Continues elsewhere. The next record shows until which time something may be missing. */
  #follow({ to, lost, reset }: Jump): void {
    const was = this.#offset;
    this.#offset = to;
    const from = Number.isFinite(this.#lastTime) ? this.#lastTime : 0;
    if (reset !== undefined) {
      this.#topicId = reset;
      this.#uncertainSince ??= from;
      this.#losses.begin(null, from);
      const { step, logger } = this.#context;
      logger.warn(
        { event: "topic-reset", part: this.#name, step, was, to },
        `${this.#name} was deleted and made again, or its log is shorter than it was: it was read up to offset ${was}, and ` +
          `reading continues at ${to}; unread records may be gone`,
      );
    }
    if (lost > 0) {
      this.#lostOffsets += lost;
      this.#losses.begin(lost, from);
      this.#logLoss(lost);
    }
    this.#ledger.missedFrom(from);
  }

  /** Retention may have deleted records that should be read. */
  #beginsLater({ offsets, from, to }: Gone): void {
    this.#uncertainSince ??= from;
    const { step, logger } = this.#context;
    const [start, since] = [from, to].map((time) => new Date(time).toISOString());
    logger.warn(
      { event: "start-trimmed", part: this.#name, step, start, offsets, wholeFrom: to },
      `${this.#name} is to be read from ${start ?? ""}, but retention has deleted ${offsets} offsets before ${since ?? ""}: ` +
        "how many of them belonged to it is not known. Windows that open earlier have no rows",
    );
  }

  #logLoss(offsets: number): void {
    const { time, logger, step } = this.#context;
    const now = time.monotonic();
    if (now < this.#logLossAt) return;
    this.#logLossAt = now + LOG_LOSS_EVERY_MS;
    logger.warn(
      { event: "deleted-before-read", part: this.#name, step, offsets, total: this.#lostOffsets },
      `${offsets} offsets of ${this.#name} were deleted by the topic's retention before they were read. Raise retention.ms ` +
        "or retention.bytes of the topic, or speed the flow up.",
    );
  }
}

function plus(
  inLog: Completeness,
  numbered: { readonly atLeast: number; readonly atMost: number },
): Completeness {
  if (typeof inLog !== "object") return numbered;
  return { atLeast: inLog.atLeast + numbered.atLeast, atMost: inLog.atMost + numbered.atMost };
}

/** Keys are in other partitions now: of a window that was open, both the old one and the new one emit a row. */
function warnIfRedivided(
  part: string,
  { partitions: before = 0 }: KafkaPosition,
  now: number,
  { logger, step }: PartContext,
): void {
  if (before === 0 || before === now) return;
  logger.warn(
    { event: "topic-redivided", part, step, before, now },
    `the topic of ${part} has ${now} partitions, and had ${before} at the last commit: keys are divided anew, so that a key may have ` +
      "two rows for each window that was open then. docs/kafka.md says how windows are closed before a topic gets more partitions.",
  );
}
