import type { TimeProvider } from "@millrace/dataflow";

/** Told instead of a result that did not come in time. */
export const OVERDUE: unique symbol = Symbol("overdue");

/**
 * Waits for a promise, but no longer than `ms`, and not when the signal is aborted.
 *
 * @throws the signal's reason
 */
export function within<T>(
  promise: Promise<T>,
  ms: number,
  time: TimeProvider,
  signal: AbortSignal,
): Promise<T | typeof OVERDUE> {
  return new Promise((resolve, reject) => {
    const release = (): void => {
      cancel();
      signal.removeEventListener("abort", abort);
    };
    const abort = (): void => {
      release();
      reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    const cancel = time.wakeAt(time.now() + ms, () => {
      release();
      resolve(OVERDUE);
    });
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(release);
  });
}
