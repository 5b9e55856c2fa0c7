import type { Batch, Emitter, Operator } from "../contracts/operator.ts";
import { ErrorHandler } from "./error-policy.ts";
import type { ErrorPolicy } from "./error-policy.ts";
import type { StepContext } from "./step-context.ts";

/** The output of a pass over a batch so far. */
export interface Rows<Out> {
  readonly events: Out[];
  /** Input rows without an output row, except in an expansion. */
  readonly dropped: number[];
  /** Input row of each output row, in an expansion. */
  readonly from: number[];
  /** Replaces the batch's keys if the step makes keys. */
  readonly keys: string[] | undefined;
  /** The current input row, or the first one of the pass. */
  at: number;
  /** Output rows before that input row, set by passes that may fail after emitting some rows of it. */
  mark: number | undefined;
}

/**
 * One tight loop over a batch, from the input row `rows.at` on. It sets `rows.at` before each call of a user's function,
 * and is called again after an event that failed.
 */
export type Pass<In, Out> = (batch: Batch<In>, rows: Rows<Out>) => void;

/** How input and output rows relate: in a selection a row gives one or none, in an expansion any number. */
export type Shape = "one-to-one" | "selection" | "expansion" | "keys";

/**
 * Runs a pass and carries the other columns along. When an event fails the pass stops, and continues at it or after it.
 * So the loop needs neither a `try` nor a branch per event, and a failure costs no more than its own event.
 */
export class StatelessOperator<In, Out> implements Operator<In, Out> {
  readonly #pass: Pass<In, Out>;
  readonly #shape: Shape;
  readonly #errors: ErrorHandler;

  constructor(context: StepContext, shape: Shape, pass: Pass<In, Out>, policy?: ErrorPolicy) {
    this.#pass = pass;
    this.#shape = shape;
    this.#errors = new ErrorHandler(context, policy);
  }

  process(batch: Batch<In>, _now: number, out: Emitter<Out>): void {
    const rows: Rows<Out> = {
      events: [],
      dropped: [],
      from: [],
      keys: this.#shape === "keys" ? [] : undefined,
      at: 0,
      mark: undefined,
    };
    this.#run(batch, rows);
    if (rows.events.length === 0) return;
    out.emit({
      events: rows.events,
      keys: rows.keys ?? this.#along(batch.keys, rows),
      times: this.#along(batch.times, rows),
    });
  }

  stats(): Readonly<Record<string, number>> {
    return this.#errors.skipped === 0 ? {} : { skipped: this.#errors.skipped };
  }

  /** @throws StepError under the policy `fail` */
  #run(batch: Batch<In>, rows: Rows<Out>): void {
    let attempts = 0;
    let failedAt = -1;
    while (rows.at < batch.events.length) {
      try {
        this.#pass(batch, rows);
        return;
      } catch (error) {
        if (rows.mark !== undefined) truncate(rows, rows.mark);
        attempts = rows.at === failedAt ? attempts + 1 : 1;
        failedAt = rows.at;
        if (attempts <= this.#errors.retries) continue;
        this.#errors.giveUp(error, batch.events[failedAt]);
        rows.dropped.push(failedAt);
        rows.at = failedAt + 1;
      }
    }
  }

  /** A column of the batch, aligned with the output rows. */
  #along<C>(column: readonly C[] | undefined, { dropped, from }: Rows<Out>): readonly C[] | undefined {
    if (column === undefined) return undefined;
    if (this.#shape === "expansion") return pick(column, from);
    return dropped.length === 0 ? column : without(column, dropped);
  }
}

function truncate(rows: Rows<unknown>, length: number): void {
  rows.events.length = length;
  rows.from.length = length;
}

function pick<C>(column: readonly C[], rows: readonly number[]): readonly C[] {
  const picked: C[] = [];
  for (const row of rows) {
    const value = column[row];
    if (value !== undefined) picked.push(value);
  }
  return picked;
}

/** @param rows in ascending order */
function without<C>(column: readonly C[], rows: readonly number[]): readonly C[] {
  let next = 0;
  return column.filter((_, row) => {
    if (row !== rows[next]) return true;
    next += 1;
    return false;
  });
}
