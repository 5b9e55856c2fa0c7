import { Deduplicator, timeOf } from "@millrace/windowing";
import type { DeduplicatorOptions, StateChange, StateGroup, Timestamp } from "@millrace/windowing";
import type { Batch, Emitter, Operator } from "../contracts/operator.ts";
import { Refusals } from "./window-warnings.ts";
import { StatelessOperator } from "./stateless.ts";
import type { StepContext } from "./step-context.ts";

/** How long ids are remembered, and on which clock. */
export interface DeduplicateOptions<T> extends DeduplicatorOptions {
  /**
   * Reads an event's time, so that a replay drops the same events as the first run. An event whose time is more than
   * `maxFuture` ahead of its message's is refused: it is not emitted, but counted and logged. @default system time
   */
  readonly at?: (event: T) => Timestamp;
  /** The ids that the step had before, the latest first: it continues with what they remember. @default none */
  readonly formerly?: string | readonly string[];
}

/** Emits each id once within a bounded time; duplicates are counted as dropped. */
export class DeduplicateOperator<T> implements Operator<T, T> {
  readonly gauges = ["remembered"];
  readonly #deduplicator: Deduplicator;
  readonly #ids: StatelessOperator<T, string>;
  readonly #at: ((event: T) => Timestamp) | undefined;
  readonly #refusals: Refusals;

  constructor(context: StepContext, idOf: (event: T) => string, options: DeduplicateOptions<T>) {
    this.#deduplicator = new Deduplicator(options);
    this.#at = options.at;
    this.#refusals = new Refusals(context);
    this.#ids = new StatelessOperator<T, string>(context, "one-to-one", (batch, rows) => {
      for (let row = rows.at; row < batch.events.length; row++) {
        rows.at = row;
        rows.events.push(idOf(batch.events[row] as T));
      }
    });
  }

  process(batch: Batch<T>, now: number, out: Emitter<T>): void {
    this.#ids.process(batch, now, {
      emit: ({ events: ids }) => {
        const at = this.#at;
        const times = at && batch.events.map((event) => timeOf(at(event)));
        const first = new Set(this.#firstOf(ids, times, batch.times, now));
        const isFirst = (_: unknown, row: number): boolean => first.has(row);
        if (first.size === 0) return;
        out.emit({
          events: batch.events.filter(isFirst),
          keys: batch.keys?.filter(isFirst),
          times: batch.times?.filter(isFirst),
        });
      },
    });
  }

  skipped(ms: number): void {
    this.#deduplicator.skipped(ms);
  }

  snapshot(): readonly StateChange[] {
    return this.#deduplicator.snapshot();
  }

  restore(groups: Iterable<StateGroup>, now: number): void {
    this.#deduplicator.restore(groups, now);
  }

  stats(): Readonly<Record<string, number>> {
    return { ...this.#deduplicator.stats() };
  }

  #firstOf(
    ids: readonly string[],
    times: readonly number[] | undefined,
    arrivals: readonly number[] | undefined,
    now: number,
  ): readonly number[] {
    const before = this.#deduplicator.stats().refused;
    const batch = times === undefined ? { ids } : { ids, times };
    const first = this.#deduplicator.process(arrivals === undefined ? batch : { ...batch, arrivals }, now);
    this.#refusals.add(this.#deduplicator.stats().refused - before, {});
    return first;
  }
}
