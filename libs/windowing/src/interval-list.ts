import { at } from "./at.ts";

/** A stretch of time, both ends included. */
export interface Interval {
  readonly open: number;
  readonly last: number;
}

/**
 * Disjoint intervals in the order of time. Finding one takes O(log n) steps. An interval in the list may grow, as long as
 * it stays apart from its neighbours, or is removed or merged at once.
 */
export class IntervalList<T extends Interval> {
  #items: T[] = [];
  /** The items before this index are removed: the first one leaves without moving the others. */
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** The earliest interval. */
  first(): T | undefined {
    return this.#items[this.#head];
  }

  /** The index of the first interval that ends at `time` or later; valid until the list changes. */
  placeReaching(time: number): number {
    let from = this.#head;
    let until = this.#items.length;
    while (from < until) {
      const middle = (from + until) >> 1;
      if (at(this.#items, middle).last < time) from = middle + 1;
      else until = middle;
    }
    return from;
  }

  /** The interval at an index, if it begins at `until` or before. */
  startedBy(until: number, place: number): T | undefined {
    const item = this.#items[place];
    return item !== undefined && item.open <= until ? item : undefined;
  }

  /** The intervals that overlap `[from, until]`, earliest first. */
  within(from: number, until: number): readonly T[] {
    const found: T[] = [];
    let place = this.placeReaching(from);
    for (let item = this.startedBy(until, place); item !== undefined; item = this.startedBy(until, ++place)) {
      found.push(item);
    }
    return found;
  }

  insert(item: T): void {
    const place = this.placeReaching(item.last);
    if (place === this.#items.length) this.#items.push(item);
    else this.#items.splice(place, 0, item);
  }

  /** Removes an interval; does nothing if it is not in the list. */
  remove(item: T): void {
    if (this.first() === item) {
      this.#removeFirst();
      return;
    }
    const place = this.placeReaching(item.last);
    // One that grew into its neighbour is right before or after it.
    for (const near of [place, place - 1, place + 1]) {
      if (near < this.#head || this.#items[near] !== item) continue;
      this.#items.splice(near, 1);
      return;
    }
  }

  /** Removes the intervals that end before `time`. */
  dropBefore(time: number): void {
    for (let first = this.first(); first !== undefined && first.last < time; first = this.first()) {
      this.#removeFirst();
    }
  }

  /** The intervals, earliest first; the list must not change during the iteration. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let place = this.#head; place < this.#items.length; place++) yield at(this.#items, place);
  }

  #removeFirst(): void {
    this.#head++;
    // Compacts once half is gone: amortised, an item is moved once.
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
