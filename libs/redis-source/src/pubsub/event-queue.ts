/** Bounds of an {@link EventQueue}. */
export interface EventQueueLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** Largest batch handed over. */
  readonly maxBatchEvents: number;
}

interface Segment<T> {
  readonly events: T[];
  bytes: number;
  /** Events at the front that were dropped. */
  dropped: number;
}

/**
 * First in, first out, in segments of one batch each, so that a batch is handed over as the array it was gathered
 * in. The queue only tells that it is full; what happens then is its owner's policy.
 */
export class EventQueue<T> {
  readonly #limits: EventQueueLimits;
  readonly #bytesOf: (event: T) => number;
  readonly #segments: Segment<T>[] = [];
  #length = 0;
  #bytes = 0;

  /** @param bytesOf the same number that was given when the event was pushed; asked only for events dropped */
  constructor(limits: EventQueueLimits, bytesOf: (event: T) => number) {
    this.#limits = limits;
    this.#bytesOf = bytesOf;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** At or above a bound: the next event is one too many. */
  get full(): boolean {
    return this.#length >= this.#limits.maxEvents || this.#bytes >= this.#limits.maxBytes;
  }

  push(event: T, bytes: number): void {
    let last = this.#segments.at(-1);
    if (last === undefined || last.events.length >= this.#limits.maxBatchEvents) {
      last = { events: [], bytes: 0, dropped: 0 };
      this.#segments.push(last);
    }
    last.events.push(event);
    last.bytes += bytes;
    this.#length += 1;
    this.#bytes += bytes;
  }

  /** The oldest events, at most one batch of them; empty if there are none. */
  takeBatch(): readonly T[] {
    const first = this.#segments.shift();
    if (first === undefined) return [];
    const events = first.dropped === 0 ? first.events : first.events.slice(first.dropped);
    this.#length -= events.length;
    this.#bytes -= first.bytes;
    return events;
  }

  /** Drops the oldest event. */
  dropOldest(): void {
    const first = this.#segments[0];
    const event = first?.events[first.dropped];
    if (first === undefined || event === undefined) return;
    const bytes = this.#bytesOf(event);
    first.dropped += 1;
    first.bytes -= bytes;
    this.#length -= 1;
    this.#bytes -= bytes;
    if (first.dropped === first.events.length) this.#segments.shift();
  }
}
