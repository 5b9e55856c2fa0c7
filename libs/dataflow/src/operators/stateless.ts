import type { Batch, Emitter, Operator } from "../contracts/operator.ts";
import { ErrorHandler } from "./error-policy.ts";
import type { ErrorPolicy } from "./error-policy.ts";
import type { StepContext } from "./step-context.ts";

/** What a pass over a batch has made so far. */
export interface Rows<Out> {
  readonly events: Out[];
  /** Input rows that gave none, in a selection. */
  readonly dropped: number[];
  /** Input row of each output row, in an expansion. */
  readonly from: number[];
  /** Replaces the batch's keys where the step makes them. */
  readonly keys: string[] | undefined;
  /** Input row that is being worked on. */
  at: number;
  /** Output rows before that input row, set by passes that may fail with rows of it already made. */
  mark: number | undefined;
}

/** One tight loop over a batch: sets `rows.at` before each call of a user's function. */
export type Pass<In, Out> = (batch: Batch<In>, rows: Rows<Out>) => void;

/** How a pass relates input and output rows: in a selection a row gives one or none, in an expansion any number. */
export type Shape = "one-to-one" | "selection" | "expansion" | "keys";

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
    const rows: Rows<Out> = {
      events: [],
      dropped: [],
      from: [],
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
        keys: rows.keys ?? this.#along(done.keys, rows),
        times: this.#along(done.times, rows),
      });
    }
    return failure;
  }

  /** A column of the batch, brought in line with the rows that were made of it. */
  #along<C>(column: readonly C[] | undefined, { dropped, from }: Rows<Out>): readonly C[] | undefined {
    if (column === undefined) return undefined;
    if (this.#shape === "expansion") return pick(column, from);
    return dropped.length === 0 ? column : without(column, dropped);
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
