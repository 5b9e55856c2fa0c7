import type { Json } from "@millrace/dataflow";

/** Consecutive numbers of one producer that have not come. */
export interface Loss {
  /** `false`: they may have been sent before this consumer listened. If they come they are new, else nobody misses them. */
  readonly claimed: boolean;
  /** `undefined`: several losses in one, whose numbers are not known any more. */
  readonly producer: string | undefined;
  readonly first: number;
  readonly count: number;
  /** They were published somewhere in `[from, to]` (ms). */
  readonly from: number;
  readonly to: number;
}

/** Numbers from `from` up to but not including `to`. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** What has not come, oldest first. Beyond the bound the two oldest become one, with a wider interval. */
export class LossList {
  readonly #max: number;
  #losses: Loss[];

  constructor(max: number, losses: readonly Loss[] = []) {
    this.#max = max;
    this.#losses = [...losses];
  }

  add(loss: Loss): void {
    this.#losses.push(loss);
    while (this.#losses.length > this.#max) {
      const [a, b] = this.#losses.splice(0, 2);
      if (a !== undefined && b !== undefined) this.#losses.unshift(united(a, b));
    }
  }

  /**
   * Takes back what turned up after all.
   *
   * @returns the numbers of `range` that had not come, in order, and how many of them were claimed
   */
  takeBack(
    producer: string,
    range: NumberRange,
  ): { readonly found: readonly NumberRange[]; readonly claimed: number } {
    const found: NumberRange[] = [];
    let claimed = 0;
    this.#losses = this.#losses.flatMap((loss) => {
      const end = loss.first + loss.count;
      const from = Math.max(range.from, loss.first);
      const to = Math.min(range.to, end);
      if (loss.producer !== producer || from >= to) return [loss];
      found.push({ from, to });
      if (loss.claimed) claimed += to - from;
      return [
        { ...loss, count: from - loss.first },
        { ...loss, first: to, count: end - to },
      ].filter(({ count }) => count > 0);
    });
    found.sort((a, b) => a.from - b.from);
    return { found, claimed };
  }

  /** Bounds of how many events published in `[open, close)` are missing. */
  missing(open: number, close: number): { readonly atLeast: number; readonly atMost: number } {
    let atLeast = 0;
    let atMost = 0;
    for (const { claimed, from, to, count } of this.#losses) {
      if (!claimed) continue;
      if (from < close && to >= open) atMost += count;
      if (from >= open && to < close) atLeast += count;
    }
    return { atLeast, atMost };
  }

  snapshot(): Json {
    return this.#losses.map(({ producer, claimed, first, count, from, to }) => [
      producer ?? null,
      claimed,
      first,
      count,
      from,
      to,
    ]);
  }
}

function united(a: Loss, b: Loss): Loss {
  if (!a.claimed || !b.claimed) return a.claimed ? a : b;
  return {
    claimed: true,
    producer: undefined,
    first: 0,
    count: a.count + b.count,
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
  };
}
