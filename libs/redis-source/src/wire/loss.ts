/*
 * How loss is counted.
 *
 * Each producer numbers its events. `producer-ledger.ts` has the account of the numbers that arrived: a gap is loss once
 * nothing can fill it. `outage-loss.ts` adds what was published while nothing was subscribed, from the producers' records
 * in Redis. This file has the ranges of lost numbers, and when they were published, so that windows can say whether they
 * are complete.
 */
import type { Json } from "@millrace/dataflow";

/** Numbers from `from` up to but not including `to`. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** When something was published: somewhere in `[from, to]` (ms). */
export interface PublishInterval {
  readonly from: number;
  readonly to: number;
}

/** How many events are lost, and when they were published. */
export interface Loss extends PublishInterval {
  readonly least: number;
  readonly most: number;
}

/** Consecutive numbers of one producer, some or all of which have not come. */
export interface MissingRange extends Loss {
  readonly first: number;
  /** The number after the last. */
  readonly end: number;
  /** Whether none of them has come. Otherwise some have, and which ones is no longer known. */
  readonly exact: boolean;
  /** `false`: some may have been sent before this consumer subscribed, so they do not count as lost. */
  readonly claimed: boolean;
}

/** Missing numbers that came late. */
export interface Found {
  /** The numbers that may be new, in order. */
  readonly ranges: readonly NumberRange[];
  /** How many of them may have come before. */
  readonly unsure: number;
  /** By how much the number of surely lost events went down. */
  readonly recovered: number;
  /** Whether some of them were in a range that is not claimed. */
  readonly unclaimed: boolean;
}

const NOTHING: Found = Object.freeze({ ranges: [], unsure: 0, recovered: 0, unclaimed: false });

/**
 * The numbers that have not come, by producer, in order.
 *
 * Beyond the limit the two oldest ranges of a producer become one, together with the numbers between them. Then fewer
 * losses are sure, more are possible, and a number in the range that comes again is not recognised. A number that never
 * came never counts as a duplicate.
 */
export class MissingNumbers {
  readonly #max: number;
  readonly #ranges = new Map<string, MissingRange[]>();
  /** Losses of producers that were forgotten. */
  #forgotten: Loss[] = [];
  #count = 0;

  constructor(
    max: number,
    ranges: readonly (readonly [producer: string, range: MissingRange])[] = [],
    forgotten: readonly Loss[] = [],
  ) {
    this.#max = max;
    for (const [producer, range] of ranges) this.#of(producer).push(range);
    for (const list of this.#ranges.values()) list.sort((a, b) => a.first - b.first);
    this.#forgotten = [...forgotten];
    this.#count = ranges.length + forgotten.length;
    this.#keepBound();
  }

  /**
   * Adds numbers that were skipped, above all others of the producer.
   *
   * @param claimed as in {@link MissingRange}
   */
  add(
    producer: string,
    { from: first, to: end }: NumberRange,
    claimed: boolean,
    published: PublishInterval,
  ): void {
    const lost = claimed ? end - first : 0;
    const { from, to } = published;
    this.#of(producer).push({ first, end, exact: true, claimed, least: lost, most: lost, from, to });
    this.#count += 1;
    this.#keepBound();
  }

  /** Removes numbers that came late. */
  take(producer: string, range: NumberRange): Found {
    const list = this.#ranges.get(producer);
    if (list === undefined) return NOTHING;
    const start = firstEndingAfter(list, range.from);
    const found: NumberRange[] = [];
    const rest: MissingRange[] = [];
    let unsure = 0;
    let recovered = 0;
    let unclaimed = false;
    let at = start;
    for (let missing = list[at]; missing !== undefined && missing.first < range.to; missing = list[at]) {
      const taken = { from: Math.max(range.from, missing.first), to: Math.min(range.to, missing.end) };
      const left = without(missing, taken);
      found.push(taken);
      rest.push(...left);
      if (!missing.exact) unsure += taken.to - taken.from;
      recovered += missing.least - left.reduce((sum, { least }) => sum + least, 0);
      unclaimed ||= !missing.claimed;
      at += 1;
    }
    if (found.length === 0) return NOTHING;
    list.splice(start, at - start, ...rest);
    this.#count += rest.length - found.length;
    if (list.length === 0) this.#ranges.delete(producer);
    this.#keepBound();
    return { ranges: found, unsure, recovered, unclaimed };
  }

  /** Forgets a producer: what it lost stays lost. */
  forget(producer: string): void {
    const list = this.#ranges.get(producer);
    if (list === undefined) return;
    this.#ranges.delete(producer);
    const lost = list.filter(({ most }) => most > 0);
    for (const { least, most, from, to } of lost) this.#forgotten.push({ least, most, from, to });
    this.#count += lost.length - list.length;
    this.#keepBound();
  }

  /** How many events published in `[open, close)` are missing, at least and at most. */
  missing(open: number, close: number): { readonly atLeast: number; readonly atMost: number } {
    let atLeast = 0;
    let atMost = 0;
    const add = ({ least, most, from, to }: Loss): void => {
      if (from < close && to >= open) atMost += most;
      if (from >= open && to < close) atLeast += least;
    };
    for (const list of this.#ranges.values()) list.forEach(add);
    this.#forgotten.forEach(add);
    return { atLeast, atMost };
  }

  /** An entry for each range: producer, claimed, first number, count, interval, and bounds if it is not exact. */
  snapshot(): Json {
    const ranges = [...this.#ranges].flatMap(([producer, list]) =>
      list.map(({ first, end, exact, claimed, least, most, from, to }): Json => {
        const entry = [producer, claimed, first, end - first, from, to];
        return exact ? entry : [...entry, least, most];
      }),
    );
    const forgotten = this.#forgotten.map(({ least, most, from, to }): Json => [
      null,
      true,
      0,
      most,
      from,
      to,
      least,
      most,
    ]);
    return [...forgotten, ...ranges];
  }

  #of(producer: string): MissingRange[] {
    let list = this.#ranges.get(producer);
    if (list === undefined) {
      list = [];
      this.#ranges.set(producer, list);
    }
    return list;
  }

  /** A producer always keeps one range, so with many producers their number is the limit. */
  #keepBound(): void {
    while (this.#count > this.#max) {
      const list = this.#forgotten.length > 1 ? undefined : this.#longest();
      if (list === undefined) {
        const [a, b] = this.#forgotten.splice(0, 2);
        if (a !== undefined && b !== undefined) this.#forgotten.unshift(sum(a, b));
      } else {
        const [a, b] = list;
        if (a === undefined || b === undefined) return;
        list.splice(0, 2, united(a, b));
      }
      this.#count -= 1;
    }
  }

  /** The longest list is shortened, so that one broken producer does not cost the others their account. */
  #longest(): MissingRange[] {
    let longest: MissingRange[] = [];
    for (const list of this.#ranges.values()) if (list.length > longest.length) longest = list;
    return longest;
  }
}

/** Index of the first range that reaches past a number. */
function firstEndingAfter(list: readonly MissingRange[], number: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle]?.end ?? 0) > number) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The rest of a range after some of its numbers came. */
function without(missing: MissingRange, { from, to }: NumberRange): MissingRange[] {
  const { first, end, exact } = missing;
  const least = Math.max(0, missing.least - (to - from));
  const most = Math.min(missing.most, end - first - (to - from));
  if (from === first) return to === end ? [] : [{ ...missing, first: to, least, most }];
  if (to === end) return [{ ...missing, end: from, least, most }];
  // Not divided: each part would have the bounds of the whole, which says less.
  if (!exact) return [{ ...missing, least, most }];
  const part = (a: number, b: number): MissingRange => {
    const lost = missing.claimed ? b - a : 0;
    return { ...missing, first: a, end: b, least: lost, most: lost };
  };
  return [part(first, from), part(to, end)];
}

function united(a: MissingRange, b: MissingRange): MissingRange {
  const exact = a.exact && b.exact && a.end === b.first && a.claimed === b.claimed;
  return { first: a.first, end: b.end, exact, claimed: a.claimed && b.claimed, ...sum(a, b) };
}

function sum(a: Loss, b: Loss): Loss {
  return {
    least: a.least + b.least,
    most: a.most + b.most,
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
  };
}
