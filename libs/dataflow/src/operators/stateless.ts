import type { Batch, Emitter, Operator } from "../contracts/operator.ts";
import { ErrorHandler } from "./error-policy.ts";
import type { ErrorPolicy } from "./error-policy.ts";
import type { StepContext } from "./step-context.ts";

/** What a pass over a batch has made so far. */
export interface Rows<Out> {
  readonly events: Out[];
  /** Input row of each output row; absent where rows correspond one to one. */
  readonly from: number[] | undefined;
  /** Replaces the batch's keys where the step makes them. */
  readonly keys: string[] | undefined;
  /** Input row that is being worked on. */
  at: number;
  /** Output rows before that input row, set by passes that may fail with rows of it already made. */
  mark: number | undefined;
}

/** One tight loop over a batch: sets `rows.at` before each call of a user's function. */
export type Pass<In, Out> = (batch: Batch<In>, rows: Rows<Out>) => void;

/** How a pass relates input and output rows. */
export type Shape = "one-to-one" | "selection" | "keys";

/**
 * Runs a pass and carries the columns along. An event that fails splits the batch there, so the loop itself needs
 * neither a `try` nor a branch per event.
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
    let rest = batch;
    for (;;) {
      const failure = this.#run(rest, out);
      if (failure === undefined) return;
      this.#resolve(failure.error, slice(rest, failure.at, failure.at + 1), out);
      rest = slice(rest, failure.at + 1, rest.events.length);
    }
  }

  stats(): Readonly<Record<string, number>> {
    return this.#errors.skipped === 0 ? {} : { skipped: this.#errors.skipped };
  }

  #resolve(error: unknown, one: Batch<In>, out: Emitter<Out>): void {
    let last = error;
    for (let attempt = 0; attempt < this.#errors.retries; attempt++) {
      const failure = this.#run(one, out);
      if (failure === undefined) return;
      last = failure.error;
    }
    this.#errors.giveUp(last, one.events[0]);
  }

  /** Emits the rows made of `batch`, or of what precedes the event that failed. */
  #run(batch: Batch<In>, out: Emitter<Out>): { readonly error: unknown; readonly at: number } | undefined {
    const columns = batch.keys !== undefined || batch.times !== undefined;
    const rows: Rows<Out> = {
      events: [],
      from: this.#shape === "selection" && columns ? [] : undefined,
      keys: this.#shape === "keys" ? [] : undefined,
      at: 0,
      mark: undefined,
    };
    let failure: { readonly error: unknown; readonly at: number } | undefined;
    try {
      this.#pass(batch, rows);
    } catch (error) {
      failure = { error, at: rows.at };
      if (rows.mark !== undefined) truncate(rows, rows.mark);
    }
    const done = failure === undefined ? batch : slice(batch, 0, failure.at);
    if (rows.events.length > 0) {
      out.emit({
        events: rows.events,
        keys: rows.keys ?? pick(done.keys, rows.from),
        times: pick(done.times, rows.from),
      });
    }
    return failure;
  }
}

function slice<T>(batch: Batch<T>, start: number, end: number): Batch<T> {
  return {
    events: batch.events.slice(start, end),
    keys: batch.keys?.slice(start, end),
    times: batch.times?.slice(start, end),
  };
}

function truncate(rows: Rows<unknown>, length: number): void {
  rows.events.length = length;
  if (rows.from !== undefined) rows.from.length = length;
}

function pick<T extends string | number>(
  column: readonly T[] | undefined,
  from: readonly number[] | undefined,
): readonly T[] | undefined {
  if (column === undefined || from === undefined) return column;
  const picked: T[] = [];
  for (const row of from) {
    const value = column[row];
    if (value !== undefined) picked.push(value);
  }
  return picked;
}
