import type { TimeProvider } from "@millrace/dataflow";

/** Resolves when `ms` are over or the signal is aborted, whichever is first. */
export function pause(ms: number, time: TimeProvider, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = time.wakeAfter(ms, done);
    signal.addEventListener("abort", done);
  });
}
