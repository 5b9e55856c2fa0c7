import { toMs } from "@millrace/windowing";
import type { Duration } from "@millrace/windowing";
import { FlowError } from "../errors.ts";
import type { KeyedLogic } from "./stateful-operator.ts";

/** When a list that is being collected is given out. */
export interface CollectOptions {
  /** Values in a list at most. */
  readonly maxSize: number;
  /** A list that got no further value for so long (of system time) is given out as it is, as Bytewax does. */
  readonly timeout: Duration;
}

/** Gathers each key's values into lists. @throws FlowError, DurationError */
export function collectLogic<V>(
  step: string,
  { maxSize, timeout }: CollectOptions,
): KeyedLogic<V, V[], readonly V[]> {
  if (!Number.isInteger(maxSize) || maxSize < 1)
    throw new FlowError(`step "${step}": maxSize is ${maxSize}, must be a whole number from 1`);
  const timeoutMs = toMs(timeout);
  if (!(timeoutMs > 0)) throw new FlowError(`step "${step}": timeout is ${timeout}, must be above 0`);
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
