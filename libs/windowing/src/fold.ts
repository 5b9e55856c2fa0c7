import type { Json } from "./json.ts";
import type { FoldGrowth, Room } from "./room.ts";

/** One part of an accumulator that is stored in parts. */
export type FoldPart = readonly [id: string, value: Json];

/** The changes of an accumulator's parts since the last call. */
export interface PartChanges {
  /** Parts that are new or changed. An id is a non-empty text that the fold chooses. */
  readonly put: readonly FoldPart[];
  /** Ids of deleted parts, none of them in `put`. */
  readonly delete: readonly string[];
}

/**
 * Stores an accumulator that grows: in parts of a bounded size besides its small snapshot, so that a commit costs what
 * changed, not what the accumulator holds.
 */
export interface FoldParts<A, R> {
  /** The changes since the last call for this accumulator; everything, the first time. */
  changes(accumulator: A): PartChanges;
  /** Adds the parts, in any order, to the accumulator that `restore` made of the snapshot. @throws WindowStateError */
  restore(accumulator: A, parts: readonly FoldPart[]): void;
  /** A small mark of the present result, by which `resultAt` finds it after further events. Only the last one is valid. */
  mark(accumulator: A): Json;
  /** The result as it was at the mark. */
  resultAt(accumulator: A, mark: Json): R;
}

/**
 * Recovers the result of an earlier row after the accumulator has changed, without converting the accumulator to
 * JSON.
 */
export interface FoldMarks<A, R> {
  /** A mark of the present result, never undefined; it does not change with the accumulator. */
  of(accumulator: A): unknown;
  /** The result as it was at the mark. */
  resultAt(accumulator: A, mark: unknown): R;
  /** The mark as a snapshot stores it. */
  toJson(mark: unknown): Json;
  /** @throws WindowStateError */
  fromJson(json: Json): unknown;
}

/** `add` in two halves, so that several folds of one event can check it before any of them changes. */
export interface SplitAdd<V, A> {
  /** Reads what the fold needs of an event. Changes nothing; throws if the fold does not accept the event. */
  read(value: V, timestamp: number): unknown;
  /** Adds what was read. Never throws. */
  take(accumulator: A, read: unknown, timestamp: number): A;
}

/** An accumulator as it is stored. */
export interface StoredAccumulator {
  readonly state: Json;
  readonly parts: readonly FoldPart[];
}

/** A fold whose accumulators can be made of a plain value, so that `migrated` can lead to it. @typeParam S the value */
export interface Seeded<S> {
  /**
   * What is stored of an accumulator with this value.
   *
   * @param before the accumulator that it replaces, with its fold
   */
  seed(
    value: S,
    before: StoredAccumulator & { readonly fold: ClosingFold<never, unknown, unknown> },
  ): StoredAccumulator;
}

/** How accumulators of an earlier fold become those of this one. */
export interface FoldPast {
  /** The earlier fold. */
  readonly fold: ClosingFold<never, unknown, unknown>;
  /** Turns its kept accumulator into one of the present fold; it may return what it was given. */
  readonly convert: (stored: StoredAccumulator) => StoredAccumulator;
}

/**
 * Combines a window's events into one value. A fold of your own takes ten lines; `foldLaws` in the tests of this library
 * shows what it must do.
 *
 * An accumulator may be a plain value or an object that `add` changes in place; `add` and `merge` return the
 * accumulator to use from then on.
 *
 * @typeParam V an event's value. @typeParam A the accumulator. @typeParam R the result.
 */
export interface ClosingFold<V, A, R> {
  /**
   * Describes the accumulator, such as "count" or "distinct max=1000000": state written with another kind is refused.
   * It does not describe the function that reads a value from an event.
   *
   * @default "fold"
   */
  readonly kind?: string;
  /**
   * A new accumulator.
   *
   * @param room where it takes room for its elements, if it has `growth`. @default unbounded
   */
  create(room?: Room): A;
  /**
   * Adds one event. `timestamp` is its event time in ms. If it throws, the event is not added: so it may throw because
   * of the event, not because of the accumulator's content, and before it changes anything.
   */
  add(accumulator: A, value: V, timestamp: number): A;
  /** Merges the accumulator of a later session into that of an earlier one, when the sessions merge. */
  merge(earlier: A, later: A): A;
  /** The result; it must not change when the accumulator does. */
  result(accumulator: A): R;
  /** The accumulator as JSON, without its `parts`; it must not change when the accumulator does. */
  snapshot(accumulator: A): Json;
  /** The inverse of `snapshot`; the accumulator has not taken its room yet. @throws WindowStateError */
  restore(state: Json, room?: Room): A;
  /** For accumulators that grow. Absent: `snapshot` is the whole accumulator, written with each commit that changed it. */
  readonly parts?: FoldParts<A, R>;
  /** @default marks are snapshots, or those of `parts` */
  readonly marks?: FoldMarks<A, R>;
  /** For folds with a bound: how many values have been left out, up to the last call of `result`. */
  overflow?(accumulator: A): number;
  /** Absent: accumulators take no room, however large they are. */
  readonly growth?: FoldGrowth<A>;
  /** The folds of the members of an `aggregate`, by name. */
  readonly members?: ReadonlyMap<string, ClosingFold<never, unknown, unknown>>;
  /** Earlier folds whose stored accumulators this one can continue with. */
  readonly pasts?: readonly FoldPast[];
  /** For folds that can be members of an `aggregate` with others whose `add` may throw. */
  readonly split?: SplitAdd<V, A>;
}

/** A fold that emits rows when a window closes or, with `match`, while events arrive. */
export interface Fold<V, A, R> extends ClosingFold<V, A, R> {
  /**
   * If present, rows are emitted while events arrive, and none when the window closes: it is called after each `add`;
   * any result but undefined is a row (cause `match`).
   */
  match?(accumulator: A): R | undefined;
}
