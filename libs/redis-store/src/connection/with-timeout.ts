import type { TimeProvider } from "@millrace/dataflow";

/** Stands for a result that did not come in time. */
export const TIMED_OUT: unique symbol = Symbol("timed out");

/**
 * Waits for a promise, but no longer than `ms` (`Infinity`: as long as it takes), and not when the signal is aborted.
 *
 * @throws the signal's reason
 */
export function withTimeout<T>(
  promise: Promise<T>,
  ms: number,
  time: TimeProvider,
  signal: AbortSignal,
): Promise<T | typeof TIMED_OUT> {
  return new Promise((resolve, reject) => {
    const release = (): void => {
      cancel();
      signal.removeEventListener("abort", abort);
    };
    const abort = (): void => {
      release();
      reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    const cancel =
      ms === Infinity
        ? () => undefined
        : time.wakeAfter(ms, () => {
            release();
            resolve(TIMED_OUT);
          });
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(release);
  });
}
