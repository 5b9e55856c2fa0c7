import { AccumulatorTooLargeError, PartlyTaken } from "./errors.ts";
import { damaged, fieldFrom } from "./fields.ts";
import type { ClosingFold, Fold, FoldPart, Seeded } from "./fold.ts";
import type { Json } from "./json.ts";
import type { Room } from "./room.ts";
import type { StateField } from "./window-engine.ts";
import type { WindowResult } from "./window-output.ts";

/** What kept accumulators of a fold are. */
export function kindOf({ kind }: { readonly kind?: string }): string {
  return kind ?? "fold";
}

/** Whether accumulators of a fold can be made of a value. */
export function isSeeded<F extends object>(fold: F): fold is F & Seeded<unknown> {
  return "seed" in fold;
}

/** Throws what `add` would throw for an event, and changes nothing. */
export function probe<V, A, R>(fold: ClosingFold<V, A, R>, value: V, timestamp: number): void {
  if (fold.split === undefined) fold.add(fold.create(), value, timestamp);
  else fold.split.read(value, timestamp);
}

/**
 * A note of what an accumulator comes to now, for the `previous` of a later row. It is made only for a key that has a
 * row already, before the first change after that row.
 */
export function markOf<V, A, R>(fold: ClosingFold<V, A, R>, accumulator: A): unknown {
  if (fold.marks !== undefined) return fold.marks.of(accumulator);
  return fold.parts === undefined ? fold.snapshot(accumulator) : fold.parts.mark(accumulator);
}

/** What an accumulator came to at its mark; without one, now. */
export function resultAt<V, A, R>(fold: ClosingFold<V, A, R>, accumulator: A, mark: unknown): R {
  if (mark === undefined) return fold.result(accumulator);
  if (fold.marks !== undefined) return fold.marks.resultAt(accumulator, mark);
  const json = mark as Json;
  return fold.parts === undefined ? fold.result(fold.restore(json)) : fold.parts.resultAt(accumulator, json);
}

/** A mark as it is kept. */
export function markToJson<V, A, R>({ marks }: ClosingFold<V, A, R>, mark: unknown): Json {
  // Without `marks` of its own, a fold's mark is JSON.
  return marks === undefined ? (mark as Json) : marks.toJson(mark);
}

/** The stored mark. @throws WindowStateError */
export function markFromJson<V, A, R>({ marks }: ClosingFold<V, A, R>, json: Json): unknown {
  return marks === undefined ? json : marks.fromJson(json);
}

/** The snapshot of a key's accumulator. @throws AccumulatorTooLargeError that names the key */
export function snapshotOf<V, A, R>(fold: ClosingFold<V, A, R>, accumulator: A, key: string): Json {
  try {
    return fold.snapshot(accumulator);
  } catch (error) {
    if (!(error instanceof AccumulatorTooLargeError)) throw error;
    throw new AccumulatorTooLargeError(`Key ${JSON.stringify(key)}: ${error.message}`, {
      ...error.size,
      key,
    });
  }
}

/** Makes the row that an event causes. An error here concerns more than the event, which is added already. */
export function matchOf<V, A, R>(fold: Fold<V, A, R>, accumulator: A): R | undefined {
  try {
    return fold.match?.(accumulator);
  } catch (error) {
    throw new PartlyTaken(error);
  }
}

/** A row with the number of values that a full accumulator, or the fold before it, has left out, if there are any. */
export function withOverflow<V, A, R>(
  fold: Fold<V, A, R>,
  accumulator: A,
  row: WindowResult<R>,
  leftOut = 0,
): WindowResult<R> {
  const overflow = leftOut + (fold.overflow?.(accumulator) ?? 0);
  return overflow === 0 ? row : { ...row, overflow };
}

/** A fold whose accumulators share one room, and that reports how many more values they have left out. */
export function foldWithin<V, A, R>(
  fold: Fold<V, A, R>,
  room: Room,
  onOverflow: (values: number) => void,
): Fold<V, A, R> {
  // Without a bound no room is taken, and nothing is counted.
  if (fold.overflow === undefined && fold.growth === undefined) return fold;
  const overflowOf = (accumulator: A): number => fold.overflow?.(accumulator) ?? 0;
  const count = (before: number, accumulator: A): void => {
    const more = overflowOf(accumulator) - before;
    if (more > 0) onOverflow(more);
  };
  return {
    kind: kindOf(fold),
    create: () => fold.create(room),
    add(accumulator, value, timestamp) {
      const before = overflowOf(accumulator);
      const next = fold.add(accumulator, value, timestamp);
      count(before, next);
      return next;
    },
    merge(earlier, later) {
      const before = overflowOf(earlier) + overflowOf(later);
      const merged = fold.merge(earlier, later);
      count(before, merged);
      return merged;
    },
    result(accumulator) {
      const before = overflowOf(accumulator);
      const result = fold.result(accumulator);
      count(before, accumulator);
      return result;
    },
    snapshot: (accumulator) => fold.snapshot(accumulator),
    restore: (state, given) => fold.restore(state, given),
    overflow: overflowOf,
    ...(fold.parts === undefined ? {} : { parts: fold.parts }),
    ...(fold.marks === undefined ? {} : { marks: fold.marks }),
    ...(fold.split === undefined ? {} : { split: fold.split }),
    ...(fold.growth === undefined ? {} : { growth: fold.growth }),
    ...(fold.match === undefined ? {} : { match: (accumulator: A) => fold.match?.(accumulator) }),
  };
}

/**
 * The name of a field of a window's state, unambiguous for any key: of a key's cell, or of one part of its
 * accumulator.
 */
export function fieldName(key: string, id = ""): string {
  return `${String(key.length)}:${key}${id}`;
}

/** The inverse of `fieldName`. @throws WindowStateError */
export function splitFieldName(name: string): readonly [key: string, id: string] {
  const colon = name.indexOf(":");
  const until = colon + 1 + Number(name.slice(0, colon));
  if (colon < 1 || !Number.isInteger(until) || until > name.length) damaged("a key and its length", name);
  return [name.slice(colon + 1, until), name.slice(until)];
}

/** The parts of accumulators from a store, grouped by a prefix of their names. */
export function groupParts(fields: Iterable<StateField>): Map<string, FoldPart[]> {
  const groups = new Map<string, FoldPart[]>();
  for (const [name, value] of fields) {
    const [key, id] = splitFieldName(name);
    const parts = groups.get(key);
    if (parts === undefined) groups.set(key, [[id, value]]);
    else parts.push([id, value]);
  }
  return groups;
}

/** Restores an accumulator. It takes its room, even if there is less now. @throws WindowStateError */
export function restoreAccumulator<V, A, R>(
  fold: ClosingFold<V, A, R>,
  room: Room,
  state: Json | undefined,
  parts: readonly FoldPart[],
): A {
  const accumulator = fold.restore(fieldFrom(state), room);
  fold.parts?.restore(accumulator, parts);
  fold.growth?.hold(accumulator);
  return accumulator;
}
