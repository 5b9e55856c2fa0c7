import { Deduplicator } from "@millrace/windowing";
import type { DeduplicatorOptions, StateChange, StateGroup } from "@millrace/windowing";
import type { Batch, Emitter, Operator } from "../contracts/operator.ts";
import { StatelessOperator } from "./stateless.ts";
import type { StepContext } from "./step-context.ts";

/** Passes each id once within a bounded time; repetitions are counted as dropped. */
export class DeduplicateOperator<T> implements Operator<T, T> {
  readonly #deduplicator: Deduplicator;
  readonly #ids: StatelessOperator<T, string>;

  constructor(context: StepContext, idOf: (event: T) => string, options: DeduplicatorOptions) {
    this.#deduplicator = new Deduplicator(options);
    this.#ids = new StatelessOperator<T, string>(context, "one-to-one", (batch, rows) => {
      for (const [row, event] of batch.events.entries()) {
        rows.at = row;
        rows.events.push(idOf(event));
      }
    });
  }

  process(batch: Batch<T>, now: number, out: Emitter<T>): void {
    this.#ids.process(batch, now, {
      emit: ({ events: ids }) => {
        const first = new Set(this.#deduplicator.process({ ids }, now));
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

  snapshot(): readonly StateChange[] {
    return this.#deduplicator.snapshot();
  }

  restore(groups: Iterable<StateGroup>): void {
    this.#deduplicator.restore(groups);
  }

  stats(): Readonly<Record<string, number>> {
    return { ...this.#deduplicator.stats() };
  }
}
