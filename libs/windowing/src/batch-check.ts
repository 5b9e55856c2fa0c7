import { WindowBatchError } from "./errors.ts";
import type { KeyedBatch } from "./window-engine.ts";

/** Refuses a batch whose columns differ in length. */
export function requireColumns<V>({ keys, values, times }: KeyedBatch<V>): void {
  const length = keys.length;
  if (values.length === length && (times === undefined || times.length === length)) return;
  throw new WindowBatchError(
    `The batch has ${String(length)} keys, ${String(values.length)} values and ` +
      `${times === undefined ? "no" : String(times.length)} times; all columns must have the same length.`,
  );
}
