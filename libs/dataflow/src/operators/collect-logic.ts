import { toMs } from "@millrace/windowing";
import type { Duration } from "@millrace/windowing";
import { FlowError } from "../errors.ts";
import type { KeyedLogic } from "./stateful-operator.ts";

/** When `collect` emits a list. */
export interface CollectOptions {
  /** Maximum number of values in a list. */
  readonly maxSize: number;
  /** A list without a new value for this long (system time) is emitted, as in Bytewax. */
  readonly timeout: Duration;
  /** The ids that the step had before, the latest first: it continues with their lists. @default none */
  readonly formerly?: string | readonly string[];
}

/** Collects each key's values into lists. @throws FlowError, DurationError */
export function collectLogic<V>(
  step: string,
  { maxSize, timeout }: CollectOptions,
): KeyedLogic<V, V[], readonly V[]> {
  if (!Number.isInteger(maxSize) || maxSize < 1)
    throw new FlowError(`step "${step}": maxSize is ${maxSize}, but must be a whole number from 1`);
  const timeoutMs = toMs(timeout);
  if (!(timeoutMs > 0)) throw new FlowError(`step "${step}": timeout is ${timeout}, but must be above 0`);
  return {
    create: () => [],
    onEvent(list, value, { now }) {
      list.push(value);
      if (list.length >= maxSize) return { state: undefined, out: [list] };
      return { state: list, notifyAt: now + timeoutMs };
    },
    onNotify: (list) => ({ state: undefined, out: [list] }),
    onEnd: (list) => ({ state: undefined, out: [list] }),
  };
}
