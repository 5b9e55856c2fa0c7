import { WindowOptionsError } from "../errors.ts";
import { fieldFrom, listFrom, numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import { jsonBytes } from "../json.ts";
import { ENDLESS_ROOM, growthBy, roomFor, type Room, type Roomy } from "../room.ts";
import { MAX_ELEMENT_BYTES, boundsText, requireBound, resolveBounds, type CollectBounds } from "./bounds.ts";
import { requireJsonBytes, requireScalar, type Scalar } from "./fold-values.ts";

const NAME = "topK";

/** One of the most frequent values. */
export interface Ranked<T extends Scalar> {
  readonly value: T;
  /** How often it occurred, at least. */
  readonly count: number;
  /** How much more often it may have occurred, at most: 0 as long as all different values have room. */
  readonly error: number;
}

/** The accumulator of `topK`. */
export interface Tally<T extends Scalar> extends Roomy {
  readonly counts: Map<T, number>;
  /** Bytes of JSON of all values. */
  bytes: number;
  /** What was subtracted from every count, and at most from those that are not there. */
  error: number;
  overflow: number;
}

/** Default maximum number of values that are counted at a time. */
const DEFAULT_MAX = 2_000;

/**
 * The `k` most frequent values of a window's events, the most frequent first, equal ones by value; undefined = the event
 * has none. Counts are exact while there is room for all different values (`max`, `maxBytes`). Beyond that each
 * count may be too low by its `error`. If `max` is the bound that is reached, that is at most 2 / `max` of the window's events:
 * with 2,000 values a thousandth. If `maxBytes` is, it may be more.
 *
 * Where there is no more room, the smaller half of the counters is deleted and the largest deleted count subtracted from the
 * others (Misra, Gries: Finding repeated elements, 1982; merged as by Agarwal et al.: Mergeable summaries, 2012). A value of
 * more than 64 KiB of JSON counts as overflow.
 *
 * @param options `max`: values that are counted at a time, at least twice `k`; `@default 2_000`, or ten times `k`
 * @throws WindowOptionsError
 */
export function topK<V, T extends Scalar>(
  valueOf: (value: V) => T | undefined,
  k: number,
  options: CollectBounds = {},
): Fold<V, Tally<T>, readonly Ranked<T>[]> {
  requireBound(NAME, "k", k);
  const bounds = resolveBounds(NAME, { ...options, max: options.max ?? Math.max(DEFAULT_MAX, 10 * k) });
  if (bounds.max < 2 * k) {
    throw new WindowOptionsError(
      `max of ${NAME} is ${String(bounds.max)}, but must be at least twice k (${String(k)}).`,
    );
  }
  const read = (event: V): T | undefined => requireScalar(NAME, valueOf(event));

  const take = (tally: Tally<T>, value: T | undefined): Tally<T> => {
    if (value === undefined) return tally;
    const held = tally.counts.get(value);
    if (held !== undefined) tally.counts.set(value, held + 1);
    else {
      const bytes = requireJsonBytes(NAME, value);
      const fits = bytes <= MAX_ELEMENT_BYTES && 2 * bytes <= bounds.maxBytes;
      if (fits && tally.room.take(roomFor(1, bytes))) {
        tally.counts.set(value, 1);
        tally.bytes += bytes;
        shrink(tally);
      } else tally.overflow++;
    }
    return tally;
  };

  /** Halves a tally that is too large, so that it is too large only after as many new values. */
  const shrink = (tally: Tally<T>): void => {
    const { counts } = tally;
    if (counts.size <= bounds.max && tally.bytes <= bounds.maxBytes) return;
    let kept = 0;
    let bytes = 0;
    let cut = 0;
    for (const [value, times] of ranked(counts)) {
      bytes += jsonBytes(value);
      if (++kept > bounds.max / 2 || bytes > bounds.maxBytes / 2) {
        cut = times;
        break;
      }
    }
    for (const [value, times] of counts) {
      if (times > cut) counts.set(value, times - cut);
      else {
        counts.delete(value);
        tally.bytes -= jsonBytes(value);
        tally.room.hold(-roomFor(1, jsonBytes(value)));
      }
    }
    tally.error += cut;
  };

  return {
    kind: `${NAME} ${boundsText(bounds)}`,
    create: (room = ENDLESS_ROOM) => newTally(room),
    add: (tally, event) => take(tally, read(event)),
    split: { read, take },
    merge(earlier, later) {
      for (const [value, times] of later.counts) {
        const held = earlier.counts.get(value);
        earlier.counts.set(value, (held ?? 0) + times);
        if (held !== undefined) continue;
        earlier.bytes += jsonBytes(value);
        earlier.room.hold(roomFor(1, jsonBytes(value)));
      }
      earlier.error += later.error;
      earlier.overflow += later.overflow;
      shrink(earlier);
      return earlier;
    },
    result: ({ counts, error }) =>
      ranked(counts)
        .slice(0, k)
        .map(([value, count]) => ({ value, count, error })),
    overflow: ({ overflow }) => overflow,
    growth: growthBy(({ counts, bytes }) => roomFor(counts.size, bytes)),
    snapshot: ({ counts, error, overflow }) => [error, overflow, [...counts].flat()],
    restore(state, room = ENDLESS_ROOM) {
      const [error, overflow, counts] = listFrom(state);
      const tally: Tally<T> = newTally(room);
      tally.error = numberFrom(error);
      tally.overflow = numberFrom(overflow);
      const list = listFrom(counts);
      for (let i = 0; i + 1 < list.length; i += 2) {
        const value = fieldFrom(list[i]);
        tally.counts.set(value as T, numberFrom(list[i + 1]));
        tally.bytes += jsonBytes(value);
      }
      return tally;
    },
  };
}

function newTally<T extends Scalar>(room: Room): Tally<T> {
  return { counts: new Map(), bytes: 0, error: 0, overflow: 0, room };
}

/** The highest count first, equal ones by value. */
function ranked<T extends Scalar>(counts: ReadonlyMap<T, number>): [value: T, count: number][] {
  return [...counts].sort(([a, m], [b, n]) => n - m || compared(a, b));
}

function compared(a: Scalar, b: Scalar): number {
  if (typeof a !== typeof b) return typeof a < typeof b ? -1 : 1;
  if (a === b) return 0;
  // Neither is null, which equals itself alone.
  return (a ?? 0) < (b ?? 0) ? -1 : 1;
}
