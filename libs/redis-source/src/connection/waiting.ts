import type { TimeProvider } from "@millrace/dataflow";

/** Stands for a result that did not come in time. */
export const TIMED_OUT: unique symbol = Symbol("timed out");

/**
 * Waits for a promise for at most `ms` (`Infinity`: without limit), and until the signal is aborted.
 *
 * @throws what the promise rejects with; the signal's reason
 */
export function withTimeout<T>(
  promise: Promise<T>,
  ms: number,
  time: TimeProvider,
  signal: AbortSignal,
): Promise<T | typeof TIMED_OUT> {
  if (ms === Infinity) return unlessAborted(promise, signal);
  let cancel: (() => void) | undefined;
  const alarm = new Promise<typeof TIMED_OUT>((resolve) => {
    cancel = time.wakeAfter(ms, () => {
      resolve(TIMED_OUT);
    });
  });
  return unlessAborted(Promise.race([promise, alarm]), signal).finally(cancel);
}

/** Waits for a promise until a signal is aborted. @throws what the promise rejects with; the signal's reason */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      const reason: unknown = signal.reason;
      reject(reason instanceof Error ? reason : new Error("aborted"));
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}
