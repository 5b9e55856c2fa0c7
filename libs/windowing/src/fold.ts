import type { Json } from "./json.ts";
import type { Room } from "./room.ts";

/** One part of an accumulator that is kept in parts. */
export type FoldPart = readonly [id: string, value: Json];

/** What became of an accumulator's parts since they were last asked for. */
export interface PartChanges {
  /** Parts that are new or changed. An id is a text of the fold's choice that is not empty. */
  readonly put: readonly FoldPart[];
  /** Ids of parts that are gone: none of `put`. */
  readonly delete: readonly string[];
}

/**
 * How an accumulator that grows is kept: beside its small snapshot in parts, each of a bounded size, so that keeping
 * it costs what changed, not what it holds.
 */
export interface FoldParts<A, R> {
  /** What changed since the last call for this accumulator; everything, the first time. */
  changes(accumulator: A): PartChanges;
  /** Puts the parts, in any order, back into what `restore` made of the snapshot. @throws WindowStateError */
  restore(accumulator: A, parts: readonly FoldPart[]): void;
  /** A small note of the present result, by which `resultAt` finds it when more has been added. Only the last holds. */
  mark(accumulator: A): Json;
  /** The result as it was at the mark. */
  resultAt(accumulator: A, mark: Json): R;
}

/**
 * How the result that a row had is found again once the accumulator has changed, for accumulators that need not become
 * JSON for it.
 */
export interface FoldMarks<A, R> {
  /** A note of the present result, never undefined; it does not change when the accumulator does. */
  of(accumulator: A): unknown;
  /** The result as it was at the mark. */
  resultAt(accumulator: A, mark: unknown): R;
  /** A mark as a snapshot keeps it. */
  toJson(mark: unknown): Json;
  /** @throws WindowStateError */
  fromJson(json: Json): unknown;
}

/**
 * For accumulators that grow by elements, and take room for each of them where they were created. An element that finds none
 * is left out, and counted as the row's `overflow`. What `merge` hands over always finds room.
 */
export interface FoldGrowth<A> {
  /** How many accumulators that grow make up one of this fold's: each of them counts for as much as a key, even when empty. */
  readonly accumulators: number;
  /** Takes the room of an accumulator that was restored. */
  hold(accumulator: A): void;
  /** Gives back the room of an accumulator that is wanted no more. */
  release(accumulator: A): void;
}

/** `add` in two halves, so that several folds of one event can be asked before any of them changes. */
export interface SplitAdd<V, A> {
  /** What the fold needs of an event. Changes nothing; throws if the fold cannot take the event. */
  read(value: V, timestamp: number): unknown;
  /** Takes in what was read. Never throws. */
  take(accumulator: A, read: unknown, timestamp: number): A;
}

/**
 * How a window's events become one value. Write your own in ten lines; `foldLaws` in the tests of this library
 * shows what is expected of one.
 *
 * An accumulator may be a plain value or an object that `add` changes in place; `add` and `merge` return the
 * accumulator that holds from then on.
 *
 * @typeParam V an event's value. @typeParam A the accumulator. @typeParam R the result.
 */
export interface ClosingFold<V, A, R> {
  /**
   * What the accumulator is, in a few words, such as "count" or "distinct max=1000000": state that was kept with a fold
   * of another kind is refused. What it cannot say is which function reads a value from an event.
   *
   * @default "fold"
   */
  readonly kind?: string;
  /**
   * A fresh accumulator.
   *
   * @param room where it takes room for what it holds, if it has `growth`. @default room without end
   */
  create(room?: Room): A;
  /**
   * Takes in one event. `timestamp` is its event time in ms. If it throws, the event is not taken in: so it throws
   * for what the event is, not for what the accumulator holds, and before it changes anything.
   */
  add(accumulator: A, value: V, timestamp: number): A;
  /** Takes the accumulator of a later session into that of an earlier one, when the two merge. */
  merge(earlier: A, later: A): A;
  /** The value; it must not change when the accumulator does. */
  result(accumulator: A): R;
  /** The accumulator as JSON, without what `parts` keeps; it must not change when the accumulator does. */
  snapshot(accumulator: A): Json;
  /** The accumulator that `snapshot` was given, which has not taken its room yet. @throws WindowStateError */
  restore(state: Json, room?: Room): A;
  /** For accumulators that grow. Without it `snapshot` is the whole, written anew with each commit that changed it. */
  readonly parts?: FoldParts<A, R>;
  /** @default marks are snapshots, or those of `parts` */
  readonly marks?: FoldMarks<A, R>;
  /** For folds with a bound: how many values have not been taken in, counted up to the last call of `result`. */
  overflow?(accumulator: A): number;
  /** Without it accumulators take no room, however large they are. */
  readonly growth?: FoldGrowth<A>;
  /** For folds that can be parts of an `aggregate` beside others whose `add` may throw. */
  readonly split?: SplitAdd<V, A>;
}

/** A fold whose rows leave when a window closes or, where it has `match`, while events come in. */
export interface Fold<V, A, R> extends ClosingFold<V, A, R> {
  /**
   * Where present, rows leave while events come in, and none when the window closes: called after each `add`;
   * anything but undefined is a row (cause `match`).
   */
  match?(accumulator: A): R | undefined;
}
