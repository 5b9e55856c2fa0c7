import type { TimeProvider } from "../contracts/time-provider.ts";

/** Resolves after this time (ms), or when the signal is aborted. */
export function pause(time: TimeProvider, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = time.wakeAfter(ms, end);
    signal.addEventListener("abort", end);
  });
}
