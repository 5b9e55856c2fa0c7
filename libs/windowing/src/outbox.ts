import type { LateEvent, RefusedEvent, WindowOutput, WindowResult } from "./window-output.ts";

const EMPTY: WindowOutput<never, never> = Object.freeze({
  results: Object.freeze([]),
  late: Object.freeze([]),
  refused: Object.freeze([]),
});

/** Gathers what one call brings out, keeps the page's room, and counts. */
export class Outbox<V, R> {
  /** Rows of closing windows that this call may still bring out. */
  room = 0;
  counted = 0;
  late = 0;
  refused = 0;
  overflowed = 0;
  revisions = 0;
  readonly #pageSize: number;
  #results: WindowResult<R>[] = [];
  #lateEvents: LateEvent<V>[] = [];
  #refusedEvents: RefusedEvent<V>[] = [];

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
  }

  begin(): void {
    this.room = this.#pageSize;
  }

  addResult(row: WindowResult<R>): void {
    if (row.revision > 0) this.revisions++;
    this.#results.push(row);
  }

  addLate(event: LateEvent<V>): void {
    this.late++;
    this.#lateEvents.push(event);
  }

  addRefused(event: RefusedEvent<V>): void {
    this.refused++;
    this.#refusedEvents.push(event);
  }

  take(): WindowOutput<V, R> {
    const results = this.#results;
    const late = this.#lateEvents;
    const refused = this.#refusedEvents;
    if (results.length + late.length + refused.length === 0) return EMPTY;
    this.#results = [];
    this.#lateEvents = [];
    this.#refusedEvents = [];
    return { results, late, refused };
  }

  /** The counters, as they stand in a snapshot. */
  snapshot(): readonly number[] {
    return [this.counted, this.late, this.refused, this.overflowed, this.revisions];
  }

  restore(counters: readonly number[]): void {
    [this.counted = 0, this.late = 0, this.refused = 0, this.overflowed = 0, this.revisions = 0] = counters;
  }
}
