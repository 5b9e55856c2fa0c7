import { at } from "../at.ts";

/** A key's events that wait for the watermark, in order of their timestamps, equal ones as they came. */
export class KeyQueue<V> {
  #timestamps: number[] = [];
  #values: V[] = [];
  #head = 0;

  get size(): number {
    return this.#timestamps.length - this.#head;
  }

  /** The first timestamp; Infinity where nothing waits. */
  get first(): number {
    return this.#timestamps[this.#head] ?? Number.POSITIVE_INFINITY;
  }

  get last(): number {
    return this.size === 0 ? Number.NEGATIVE_INFINITY : at(this.#timestamps, this.#timestamps.length - 1);
  }

  /** Events mostly come in order, so the place is found from the end. */
  push(timestamp: number, value: V): void {
    let place = this.#timestamps.length;
    while (place > this.#head && at(this.#timestamps, place - 1) > timestamp) place--;
    if (place === this.#timestamps.length) {
      this.#timestamps.push(timestamp);
      this.#values.push(value);
      return;
    }
    this.#timestamps.splice(place, 0, timestamp);
    this.#values.splice(place, 0, value);
  }

  /** Takes the first event out. */
  shift(): readonly [timestamp: number, value: V] {
    const entry = [at(this.#timestamps, this.#head), at(this.#values, this.#head)] as const;
    this.#head++;
    // Compacts once half is gone: amortised, an event is moved once.
    if (this.#head * 2 >= this.#timestamps.length) {
      this.#timestamps = this.#timestamps.slice(this.#head);
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  timestamps(): readonly number[] {
    return this.#timestamps.slice(this.#head);
  }

  values(): readonly V[] {
    return this.#values.slice(this.#head);
  }
}
