import { WindowOptionsError } from "../errors.ts";
import { listFrom, numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import type { Json } from "../json.ts";
import { ENDLESS_ROOM, growthBy, roomFor, type Room, type Roomy } from "../room.ts";
import { requireBound } from "./bounds.ts";
import { requireFinite } from "./fold-values.ts";

const NAME = "quantile";

/** How exact quantiles are, and how much they may keep. */
export interface QuantileOptions {
  /**
   * The largest relative error of a result, from 0.0001 to 0.5: with 0.01 a result of 250 stands for a value from 247.5 to
   * 252.5. @default 0.01
   */
  readonly error?: number;
  /**
   * Maximum number of bins, each for values that differ by less than the error. Whenever a window's values need more, the
   * error of its result doubles: with the defaults, if they are further apart than by a factor of 10^17. At least 8.
   * @default 2_048
   */
  readonly maxBins?: number;
}

/** The result: a number for one rank, a list for a list of them. */
export type Quantiles<Q extends number | readonly number[]> = Q extends readonly number[]
  ? { readonly [Place in keyof Q]: number }
  : number;

/** Values nearer to 0 count as 0: logarithms of still smaller ones are not exact. */
const LEAST = 1e-300;

/**
 * Counts of values in bins that grow by a constant factor, so that each value is known up to a relative error: DDSketch
 * (Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch with relative-error guarantees, 2019). Where there
 * are too many bins, every two neighbours become one, as in UDDSketch (Epicoco et al., 2020). The same values give the same
 * bins, in whichever order they are added and merged.
 */
export class QuantileSketch implements Roomy {
  readonly room: Room;
  /** How often neighbours became one: a bin is a power of two to this of the first bins. */
  level = 0;
  zeros = 0;
  /** The counts of positive values by bin, and those of negative values by the bin of their magnitude. */
  positive = new Map<number, number>();
  negative = new Map<number, number>();
  least: number = Number.POSITIVE_INFINITY;
  greatest: number = Number.NEGATIVE_INFINITY;
  overflow = 0;

  constructor(room: Room) {
    this.room = room;
  }

  get bins(): number {
    return this.positive.size + this.negative.size;
  }
}

/**
 * Quantiles of a finite number of each event, with a relative error of at most 1 % (`error`); anything else is an error of
 * that event ({@link FoldValueError}). The quantile of `q` is the smallest value that at least the part `q` of all values
 * does not exceed; 0 and 1 are the exact minimum and maximum.
 *
 * @param q from 0 to 1, or a list: then the result is a list, too
 * @throws WindowOptionsError
 * @example quantile((request) => request.ms, 0.99)
 * @example quantile((request) => request.ms, [0.5, 0.99])
 */
export function quantile<V, const Q extends number | readonly number[]>(
  valueOf: (value: V) => number,
  q: Q,
  { error = 0.01, maxBins = 2_048 }: QuantileOptions = {},
): Fold<V, QuantileSketch, Quantiles<Q>> {
  const given: number | readonly number[] = q;
  for (const rank of typeof given === "number" ? [given] : given) requireBetween("q", rank, 0, 1);
  requireBetween("error", error, 0.0001, 0.5);
  if (requireBound(NAME, "maxBins", maxBins) < 8) requireBetween("maxBins", maxBins, 8, Infinity);
  /** The logarithm of the factor by which bins grow. */
  const step = Math.log((1 + error) / (1 - error));

  /** Never -0: the result would depend on the order of events, and on restarts, as JSON has no -0. */
  const read = (value: V): number => requireFinite(NAME, valueOf(value)) + 0;

  const take = (sketch: QuantileSketch, value: number): QuantileSketch => {
    const magnitude = Math.abs(value);
    if (magnitude < LEAST) sketch.zeros++;
    else {
      const bins = value > 0 ? sketch.positive : sketch.negative;
      const bin = raised(Math.ceil(Math.log(magnitude) / step), sketch.level);
      const held = bins.get(bin);
      if (held === undefined && !hasRoom(sketch)) {
        sketch.overflow++;
        return sketch;
      }
      bins.set(bin, (held ?? 0) + 1);
      shrink(sketch);
    }
    if (value < sketch.least) sketch.least = value;
    if (value > sketch.greatest) sketch.greatest = value;
    return sketch;
  };

  /** The room of an accumulator's first bin is covered by the bound on keys. */
  const hasRoom = (sketch: QuantileSketch): boolean => {
    if (sketch.least <= sketch.greatest) return sketch.room.take(roomFor(1, 0));
    sketch.room.hold(roomFor(1, 0));
    return true;
  };

  const shrink = (sketch: QuantileSketch): void => {
    while (sketch.bins > maxBins) raise(sketch, sketch.level + 1);
  };

  const valueAt = (sketch: QuantileSketch, rank: number): number => {
    const { least, greatest } = sketch;
    const logOfFactor = step * 2 ** sketch.level;
    // The value whose relative distance to both ends of the bin is the same. As logarithms, so that nothing overflows.
    const middle = (bin: number): number =>
      Math.exp(bin * logOfFactor + Math.LN2 - Math.log1p(Math.exp(logOfFactor)));
    const clamped = (value: number): number => Math.min(Math.max(value, least), greatest);
    let left = rank;
    for (const [bin, times] of sorted(sketch.negative).reverse()) {
      left -= times;
      if (left <= 0) return clamped(-middle(bin));
    }
    left -= sketch.zeros;
    if (left <= 0) return clamped(0);
    for (const [bin, times] of sorted(sketch.positive)) {
      left -= times;
      if (left <= 0) return clamped(middle(bin));
    }
    return greatest;
  };

  const quantileOf = (sketch: QuantileSketch, q: number): number => {
    const count = sketch.zeros + sum(sketch.positive) + sum(sketch.negative);
    // The product may be a little above a whole number that it should be.
    const rank = Math.ceil(q * count * (1 - 4 * Number.EPSILON));
    if (rank <= 1) return sketch.least;
    return rank >= count ? sketch.greatest : valueAt(sketch, rank);
  };

  return {
    kind: `${NAME} error=${String(error)} maxBins=${String(maxBins)}`,
    create: (room = ENDLESS_ROOM) => new QuantileSketch(room),
    add: (sketch, event) => take(sketch, read(event)),
    split: { read, take },
    merge(earlier, later) {
      const level = Math.max(earlier.level, later.level);
      raise(earlier, level);
      const before = earlier.bins;
      addAll(earlier.positive, later.positive, level - later.level);
      addAll(earlier.negative, later.negative, level - later.level);
      earlier.room.hold(roomFor(earlier.bins - before, 0));
      earlier.zeros += later.zeros;
      earlier.least = Math.min(earlier.least, later.least);
      earlier.greatest = Math.max(earlier.greatest, later.greatest);
      earlier.overflow += later.overflow;
      shrink(earlier);
      return earlier;
    },
    result(sketch) {
      const of = (rank: number): number => quantileOf(sketch, rank);
      return (typeof given === "number" ? of(given) : given.map(of)) as Quantiles<Q>;
    },
    overflow: ({ overflow }) => overflow,
    growth: growthBy(({ bins }) => roomFor(bins, 0)),
    snapshot: ({ level, zeros, least, greatest, overflow, positive, negative }) => [
      level,
      zeros,
      // A sketch without values has neither.
      least <= greatest ? [least, greatest] : null,
      overflow,
      toJson(positive),
      toJson(negative),
    ],
    restore(state, room = ENDLESS_ROOM) {
      const [level, zeros, range, overflow, positive, negative] = listFrom(state);
      const sketch = new QuantileSketch(room);
      sketch.level = numberFrom(level);
      sketch.zeros = numberFrom(zeros);
      if (range !== null) {
        const [least, greatest] = listFrom(range);
        sketch.least = numberFrom(least);
        sketch.greatest = numberFrom(greatest);
      }
      sketch.overflow = numberFrom(overflow);
      sketch.positive = fromJson(positive);
      sketch.negative = fromJson(negative);
      return sketch;
    },
  };
}

/** Makes bins one, until the sketch has this level. */
function raise(sketch: QuantileSketch, level: number): void {
  const levels = level - sketch.level;
  if (levels === 0) return;
  const before = sketch.bins;
  sketch.positive = addAll(new Map(), sketch.positive, levels);
  sketch.negative = addAll(new Map(), sketch.negative, levels);
  sketch.level = level;
  sketch.room.hold(-roomFor(before - sketch.bins, 0));
}

/** The bin that a bin has become, so many levels higher. */
function raised(bin: number, levels: number): number {
  return Math.ceil(bin / 2 ** levels);
}

function addAll(
  bins: Map<number, number>,
  others: ReadonlyMap<number, number>,
  levels: number,
): Map<number, number> {
  for (const [other, times] of others) {
    const bin = raised(other, levels);
    bins.set(bin, (bins.get(bin) ?? 0) + times);
  }
  return bins;
}

function sum(bins: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const times of bins.values()) total += times;
  return total;
}

function sorted(bins: ReadonlyMap<number, number>): [bin: number, times: number][] {
  return [...bins].sort(([a], [b]) => a - b);
}

function toJson(bins: ReadonlyMap<number, number>): Json {
  return sorted(bins).flat();
}

function fromJson(json: Json | undefined): Map<number, number> {
  const numbers = listFrom(json).map(numberFrom);
  const bins = new Map<number, number>();
  for (let i = 0; i + 1 < numbers.length; i += 2)
    bins.set(numberFrom(numbers[i]), numberFrom(numbers[i + 1]));
  return bins;
}

/** @throws WindowOptionsError */
function requireBetween(name: string, value: number, least: number, greatest: number): void {
  if (value >= least && value <= greatest) return;
  throw new WindowOptionsError(
    `${name} of ${NAME} is ${String(value)}, but must be a number from ${String(least)} to ${String(greatest)}.`,
  );
}
