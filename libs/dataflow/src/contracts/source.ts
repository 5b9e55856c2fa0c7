import type { Completeness, Json } from "@millrace/windowing";
import type { DecodeFailure, RawLine } from "./decoder.ts";
import type { Logger } from "./logger.ts";
import type { TimeProvider } from "./time-provider.ts";

/** How a source's partitions divide its events. A `keyBy` that contradicts it is refused when the flow is built. */
export type Partitioning =
  /** One partition: every key is whole in it. */
  | { readonly kind: "single" }
  /** Events with the same value of `field` are always in the same partition. */
  | { readonly kind: "by"; readonly field: string }
  /** Several partitions, divided by nothing that a flow could rely on. */
  | { readonly kind: "arbitrary" };

/** What every partition, source or sink, is told when it is built. */
export interface PartContext {
  /** Id of the flow. */
  readonly flow: string;
  /** Id of the step it is built for. */
  readonly step: string;
  readonly logger: Logger;
  readonly time: TimeProvider;
  /** Aborted when what is being built is not wanted any more, or the task must end at once. */
  readonly signal: AbortSignal;
  /** Sends a payload that cannot be delivered as an event (a line beyond the size bound) to the dead letter. */
  reject(payload: RawLine, reason: DecodeFailure): void;
}

/** What a source is told when a start is looked at. */
export type StartContext = Pick<PartContext, "flow" | "step" | "logger" | "time" | "signal">;

/** A position in two parts, as a store keeps it. */
export interface DividedPosition {
  /** Kept whole, by each commit. */
  readonly head: Json;
  /** Kept one by one: a commit has those that changed since the last one. */
  readonly fields: ReadonlyMap<string, Json>;
}

/** How the position of a source is kept that grows, such as with the number of producers. */
export interface PositionCodec {
  /** What {@link SourcePartition.snapshot} returned, in two parts. */
  divide(position: Json): DividedPosition;
  /** What {@link Source.buildPart} goes on from. */
  unite(divided: DividedPosition): Json;
}

/**
 * Where events come from. A source only describes; {@link Source.buildPart} opens.
 *
 * The names are Bytewax's `FixedPartitionedSource`.
 */
export interface Source<T> {
  readonly partitioning: Partitioning;
  /** Absent: each commit keeps the position whole. */
  readonly positions?: PositionCodec;
  /**
   * Refuses a start that could only go wrong, such as an input that is divided differently. It is called for the
   * partitions of a run before any of their tasks is taken over from another worker, so it must not change anything.
   * Absent: there is nothing to look at.
   */
  checkStart?(parts: readonly string[], context: StartContext): Promise<void>;
  /**
   * Refuses a kept position that this source cannot go on from. It is called before the task is taken over from
   * another worker, so it must not open or change anything. Of a divided position it gets the head. Absent: every position is accepted here.
   *
   * @throws StateError
   */
  checkPosition?(part: string, position: Json): void;
  /** Names of all partitions, stable from run to run: a name is the identity that recovery uses. */
  listParts(): Promise<readonly string[]>;
  /**
   * Opens one partition. With a store it is called before the task is taken over, so that a source that cannot be opened
   * stops no other worker: it must take nothing away that another one is still to read. `nextBatch` is called only
   * after that. If the former owner has committed in between, what was opened is closed and opened again.
   *
   * @param resume what {@link SourcePartition.snapshot} told at the last commit; reading goes on right after it.
   *   `undefined`: the task has never committed.
   */
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SourcePartition<T>>;
}

/** Events in order of arrival, or the end of the input. */
export type SourceBatch<T> =
  | {
      readonly kind: "batch";
      readonly events: readonly T[];
      /** System time (ms) at which each event's message was published or entered; `NaN` where unknown. */
      readonly times?: readonly number[];
    }
  | { readonly kind: "end" };

/** The proof that a partition had nothing left to read at an instant. */
export interface Drained {
  /** When the probe was sent, by the {@link TimeProvider} of the context (ms): nothing older was waiting. */
  readonly at: number;
  /** Changes with each new connection, so that two proofs with the same number had no break between them. */
  readonly connection: number;
}

/** Counts of one partition since it was built, in events. */
export interface SourceStats {
  /** Delivered by {@link SourcePartition.nextBatch}. */
  readonly read: number;
  /** Recognised as sent twice and dropped before `read`. */
  readonly duplicates: number;
  /** Known to be missing: gaps in numbers, dropped at a queue's bound. Measured, never a difference. */
  readonly lost: number;
  /** Arrived and waiting for `nextBatch`. */
  readonly queued: number;
  /** Delivered though they may have come before, since the account of numbers has a bound. Absent: none. */
  readonly possibleDuplicates?: number;
  /** Their message's number or publish time was not believed; they are delivered all the same. Absent: none. */
  readonly suspicious?: number;
  /**
   * Publish time (ms) from which on something may be missing that `lost` does not count, since the source was away and
   * cannot know. Absent: it knows.
   */
  readonly uncertainSince?: number;
}

/**
 * One open partition.
 *
 * One call of `nextBatch` is outstanding at a time. `snapshot` is called only while none is outstanding; `drained`,
 * `stats` and `stop` at any time.
 */
export interface SourcePartition<T> {
  /**
   * Waits until there are events, then gives them all, up to the partition's own bound; it neither polls nor sleeps.
   * An empty batch is allowed (the position moved, but no event came of it). After `end` it is not called again.
   */
  nextBatch(): Promise<SourceBatch<T>>;
  /**
   * Sends a probe and proves that nothing came before its answer; `undefined` if something did or is queued.
   * While disconnected it waits for the connection. Absent: the source cannot tell, and only events move time.
   */
  drained?(): Promise<Drained | undefined>;
  /** Position behind the last batch delivered: JSON, small, enough to resume. */
  snapshot(): Json;
  /** `position` is durable: what lies before it may be acknowledged or trimmed. */
  committed?(position: Json): Promise<void>;
  /** How far the events of `[open, close)` can be trusted to be all here. Absent: "unknown". */
  completeness?(open: number, close: number): Completeness;
  /**
   * Publish time (ms) up to which every producer heard on this partition has been heard, so that `completeness` of a
   * window that closes by then is not "unknown" for want of news. Absent, or −Infinity: it cannot tell; Infinity: there
   * is no producer to wait for.
   */
  settledUpTo?(): number;
  /** Counts so far; if it throws, the last ones stand. Absent: the task counts what it was given. */
  stats?(): SourceStats;
  /** Ends the intake: what was already read is still delivered, then `end`. Absent: the partition is just closed. */
  stop?(): void;
  /** Releases everything. An outstanding `nextBatch` or `drained` settles. Idempotent. */
  close(): Promise<void>;
}
