import { messageOf, PartlyTaken, WindowEventError } from "./errors.ts";
import type { LateEvent, RefusedEvent, SkippedEvent, WindowOutput, WindowResult } from "./window-output.ts";

const EMPTY: WindowOutput<never, never> = Object.freeze({
  results: Object.freeze([]),
  late: Object.freeze([]),
  refused: Object.freeze([]),
  skipped: Object.freeze([]),
});

/** Collects the output of one call, keeps to the page size, and counts. */
export class Outbox<V, R> {
  /** Rows of closing windows that this call may still emit. */
  room = 0;
  counted = 0;
  late = 0;
  refused = 0;
  skipped = 0;
  overflowed = 0;
  overflowedValues = 0;
  revisions = 0;
  readonly #pageSize: number;
  #results: WindowResult<R>[] = [];
  #lateEvents: LateEvent<V>[] = [];
  #refusedEvents: RefusedEvent<V>[] = [];
  #skippedEvents: SkippedEvent<V>[] = [];

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

  /**
   * Skips an event on which a function threw.
   *
   * @param allowed whether the event is in no window yet, and may be skipped
   * @throws WindowEventError if it may not, or is partly added
   */
  skip(key: string, value: V, error: unknown, allowed: boolean): void {
    const partly = error instanceof PartlyTaken;
    const cause = partly ? error.cause : error;
    if (partly || !allowed) throw new WindowEventError(messageOf(cause), { key, value, cause });
    this.skipped++;
    this.#skippedEvents.push({ key, value, error });
  }

  take(): WindowOutput<V, R> {
    const results = this.#results;
    const late = this.#lateEvents;
    const refused = this.#refusedEvents;
    const skipped = this.#skippedEvents;
    if (results.length + late.length + refused.length + skipped.length === 0) return EMPTY;
    this.#results = [];
    this.#lateEvents = [];
    this.#refusedEvents = [];
    this.#skippedEvents = [];
    return { results, late, refused, skipped };
  }

  /** The counters, as a snapshot stores them. */
  snapshot(): readonly number[] {
    const { counted, late, refused, overflowed, revisions, skipped, overflowedValues } = this;
    return [counted, late, refused, overflowed, revisions, skipped, overflowedValues];
  }

  restore(counters: readonly number[]): void {
    const [counted = 0, late = 0, refused = 0, overflowed = 0, revisions = 0, skipped = 0, values = 0] =
      counters;
    this.counted = counted;
    this.late = late;
    this.refused = refused;
    this.overflowed = overflowed;
    this.revisions = revisions;
    this.skipped = skipped;
    this.overflowedValues = values;
  }
}
