import type { Completeness, Json } from "@millrace/windowing";
import type { DecodeFailure, RawLine } from "./decoder.ts";
import type { Logger } from "./logger.ts";
import type { TimeProvider } from "./time-provider.ts";

/** How a source's partitions divide its events. A `keyBy` that contradicts it is refused when the flow is built. */
export type Partitioning =
  /** There is one partition, with all events of every key. */
  | { readonly kind: "single" }
  /** Events with the same value of `field` are always in the same partition. */
  | { readonly kind: "by"; readonly field: string }
  /** Several partitions, without a rule that a flow can rely on. */
  | { readonly kind: "arbitrary" };

/** The context in which a source or a sink builds a partition. */
export interface PartContext {
  /** Id of the flow. */
  readonly flow: string;
  /** Id of the step it is built for. */
  readonly step: string;
  readonly logger: Logger;
  readonly time: TimeProvider;
  /** Aborted when the partition is not needed any more, or the task must end at once. */
  readonly signal: AbortSignal;
  /**
   * `false`: the flow keeps no part of a line (see `Decoder.keepsText`), so lines may be cut out of a larger text. Absent: a
   * line has a text of its own, or one that it shares with the lines of its message. `@default true`
   */
  readonly keepsLines?: boolean;
  /** Sends a payload that cannot be delivered as an event (a line above the size bound) to the dead letter. */
  reject(payload: RawLine, reason: DecodeFailure): void;
  /** Fails the task with an error that no call has reported, such as one of work in the background: the next call may be late. */
  fail(error: unknown): void;
}

/** The context of a check before the start. */
export type StartContext = Pick<PartContext, "flow" | "step" | "logger" | "time" | "signal">;

/** A position in two parts, as a store keeps it. */
export interface DividedPosition {
  /** Written whole with each commit. */
  readonly head: Json;
  /** Written field by field: a commit has the fields that changed since the last one. */
  readonly fields: ReadonlyMap<string, Json>;
}

/** How a position that grows, such as with the number of producers, is divided for the store. */
export interface PositionCodec {
  /** Divides what {@link SourcePartition.snapshot} returned. */
  divide(position: Json): DividedPosition;
  /** The inverse: what {@link Source.buildPart} resumes from. */
  unite(divided: DividedPosition): Json;
}

/**
 * Where events come from. A source is only a description; {@link Source.buildPart} opens a partition.
 *
 * The method names are those of Bytewax's `FixedPartitionedSource`.
 */
export interface Source<T> {
  readonly partitioning: Partitioning;
  /**
   * `false`: events that arrive while no worker reads a partition are lost, as on Pub/Sub, so that its tasks cannot go from
   * worker to worker. `@default true`
   */
  readonly keepsEvents?: boolean;
  /** Absent: each commit writes the whole position. */
  readonly positions?: PositionCodec;
  /**
   * Refuses an invalid start, such as an input that is partitioned differently now. Called for the partitions of a run
   * before any of their tasks is acquired from another worker, so it must not change anything. Absent: nothing is checked.
   */
  checkStart?(parts: readonly string[], context: StartContext): Promise<void>;
  /**
   * Refuses a stored position that this source cannot resume from. Called before the task is acquired from another
   * worker, so it must not open or change anything. It gets only the head of a divided position. Absent: accepts all.
   *
   * @throws StateError
   */
  checkPosition?(part: string, position: Json): void;
  /**
   * Time (ms) from which on all that was published or entered comes after a stored position; −Infinity: nothing comes before
   * it. A window step that is added and begins there has rows of the windows that open later. Must not open anything. It gets
   * only the head of a divided position. Absent: the present time is taken. An error, or another number, refuses the start.
   */
  wholeAfter?(position: Json): number;
  /** Names of all partitions. They must be stable across runs: recovery identifies a partition by its name. */
  listParts(): Promise<readonly string[]>;
  /**
   * Opens one partition. With a store it is called before the task is acquired, so that a source that cannot be opened
   * stops no other worker. It must not consume what another worker has yet to read. `nextBatch` is called only after the
   * task is acquired. If the former owner has committed in between, the partition is closed and opened again.
   *
   * @param resume what {@link SourcePartition.snapshot} returned at the last commit; reading continues right after it.
   *   `undefined`: the task has never committed.
   */
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SourcePartition<T>>;
}

/** Events in the order of arrival, or the end of the input. */
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
  /** When the probe was sent (ms of the context's {@link TimeProvider}): no event from before was waiting. */
  readonly at: number;
  /** Changes with each new connection: between two proofs with the same number the connection did not break. */
  readonly connection: number;
}

/** Counts of one partition since it was built, in events. */
export interface SourceStats {
  /** Delivered by {@link SourcePartition.nextBatch}. */
  readonly read: number;
  /** Sent twice, recognised, and dropped before `read`. */
  readonly duplicates: number;
  /** Known to be missing: gaps in numbers, or dropped by a full queue. Measured, never computed as a difference. */
  readonly lost: number;
  /** Arrived and waiting for `nextBatch`. */
  readonly queued: number;
  /** Delivered, but possibly duplicates, since the ledger of numbers is bounded. Absent: none. */
  readonly possibleDuplicates?: number;
  /** Delivered, but the number or the publish time of their message is implausible. Absent: none. */
  readonly suspicious?: number;
  /**
   * Publish time (ms) from which on events may be missing that `lost` does not count, since the source was
   * disconnected. Absent: `lost` counts all.
   */
  readonly uncertainSince?: number;
  /** Whether the source has its connection now. Absent: it needs none, such as a file. */
  readonly connected?: boolean;
  /** How often a lost connection came back. Absent: it needs none. */
  readonly reconnects?: number;
  /** Entries after the position that Redis still has to deliver, as of the last look. Absent: not known. */
  readonly entriesBehind?: number;
}

/**
 * One open partition.
 *
 * One call of `nextBatch` is outstanding at a time. `snapshot` is called only while none is outstanding; `drained`,
 * `stats` and `stop` at any time.
 */
export interface SourcePartition<T> {
  /**
   * Waits until there are events, then returns them all, up to the partition's own bound. It must not poll or sleep.
   * An empty batch is allowed (the position moved without an event). Not called again after `end`.
   */
  nextBatch(): Promise<SourceBatch<T>>;
  /**
   * Sends a probe and proves that no event arrived before its answer; `undefined` if one did or is queued.
   * While disconnected it waits for the connection. Absent: the source has no such proof, and only events advance time.
   */
  drained?(): Promise<Drained | undefined>;
  /** The position after the last batch delivered: small JSON that is enough to resume. */
  snapshot(): Json;
  /** `position` is durable: what is before it may be acknowledged or trimmed. */
  committed?(position: Json): Promise<void>;
  /** Whether all events of `[open, close)` have arrived. Absent: "unknown". */
  completeness?(open: number, close: number): Completeness;
  /**
   * Publish time (ms) up to which every producer of this partition has been heard, so that `completeness` of a window
   * that closes by then is not "unknown" because a message is still to come. Absent, or −Infinity: unknown. Infinity:
   * there is no producer to wait for.
   */
  settledUpTo?(): number;
  /**
   * Reading began in the middle of the input, and all that was published or entered from this time on (ms) is read. A
   * window that opens earlier is read in part, and has no row. Persists with the position. Absent, or −Infinity: no
   * window is left out.
   */
  wholeFrom?(): number;
  /** The counts so far. If it throws, the last ones are shown. Absent: the task counts the events that it reads. */
  stats?(): SourceStats;
  /** Stops reading: events that were already read are still delivered, then `end`. Absent: the partition is just closed. */
  stop?(): void;
  /** Releases everything. An outstanding `nextBatch` or `drained` settles. Idempotent. */
  close(): Promise<void>;
}
