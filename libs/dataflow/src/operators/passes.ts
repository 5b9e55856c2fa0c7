import type { Pass } from "./stateless.ts";
import type { Batch, Emitter, Operator } from "../contracts/operator.ts";

/** The user's functions also get the key; `undefined` where the events have none. */
export type Keyed<V, R> = (value: V, key: string | undefined) => R;

const NO_KEYS: readonly string[] = [];

/** One output row for each row. */
export function mapPass<V, R>(fn: Keyed<V, R>): Pass<V, R> {
  return (batch, rows) => {
    const keys = batch.keys ?? NO_KEYS;
    for (let row = rows.at; row < batch.events.length; row++) {
      rows.at = row;
      const event = batch.events[row] as V;
      rows.events.push(fn(event, keys[row]));
    }
  };
}

/** The rows for which the predicate holds. */
export function filterPass<V>(predicate: Keyed<V, boolean>): Pass<V, V> {
  return (batch, rows) => {
    const keys = batch.keys ?? NO_KEYS;
    for (let row = rows.at; row < batch.events.length; row++) {
      rows.at = row;
      const event = batch.events[row] as V;
      if (predicate(event, keys[row])) rows.events.push(event);
      else rows.dropped.push(row);
    }
  };
}

/** The values that the function returns, except `undefined`. */
export function filterMapPass<V, R>(fn: Keyed<V, R | undefined>): Pass<V, R> {
  return (batch, rows) => {
    const keys = batch.keys ?? NO_KEYS;
    for (let row = rows.at; row < batch.events.length; row++) {
      rows.at = row;
      const event = batch.events[row] as V;
      const made = fn(event, keys[row]);
      if (made === undefined) rows.dropped.push(row);
      else rows.events.push(made);
    }
  };
}

/** Any number of output rows for each row. */
export function flatMapPass<V, R>(fn: Keyed<V, Iterable<R>>): Pass<V, R> {
  return (batch, rows) => {
    const keys = batch.keys ?? NO_KEYS;
    for (let row = rows.at; row < batch.events.length; row++) {
      rows.at = row;
      const event = batch.events[row] as V;
      rows.mark = rows.events.length;
      for (const made of fn(event, keys[row])) {
        rows.events.push(made);
        rows.from.push(row);
      }
    }
  };
}

/** Each row, after the function was called with it. */
export function inspectPass<V>(look: Keyed<V, void>): Pass<V, V> {
  return (batch, rows) => {
    const keys = batch.keys ?? NO_KEYS;
    for (let row = rows.at; row < batch.events.length; row++) {
      rows.at = row;
      const event = batch.events[row] as V;
      look(event, keys[row]);
      rows.events.push(event);
    }
  };
}

/**
 * Each row, under the key that the function returns.
 *
 * @param field the field whose value is the key, if it was given by name
 */
export function keyByPass<V>(key: (value: V) => unknown, field?: string): Pass<V, V> {
  return (batch, rows) => {
    for (let row = rows.at; row < batch.events.length; row++) {
      rows.at = row;
      const event = batch.events[row] as V;
      const made = key(event);
      rows.keys?.push(typeof made === "string" ? made : textOfKey(made, field));
      rows.events.push(event);
    }
  };
}

/** Keys are strings; a number is converted. @throws TypeError for other values */
function textOfKey(made: unknown, field: string | undefined): string {
  if (typeof made === "number" && Number.isFinite(made)) return String(made);
  throw new TypeError(noKey(made, field));
}

function noKey(made: unknown, field: string | undefined): string {
  if (made === undefined && field !== undefined) return `the event has no field "${field}"`;
  const subject = field === undefined ? "the key" : `the field "${field}"`;
  const kind = typeof made;
  const hasNoKind = made === null || made === undefined || kind === "number";
  const what = hasNoKind ? String(made) : `${kind === "object" ? "an" : "a"} ${kind}`;
  return `${subject} is ${what}, and keys are strings or finite numbers`;
}

/** Emits batches unchanged: a merge is several edges into one of these. */
export class PassThroughOperator<T> implements Operator<T, T> {
  process(batch: Batch<T>, _now: number, out: Emitter<T>): void {
    out.emit(batch);
  }
}
