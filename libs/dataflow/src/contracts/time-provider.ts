/**
 * Where a run gets its time from. Every wait of the runtime goes through it, so that a test replaces time as a whole
 * and no test has to sleep.
 */
export interface TimeProvider {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `callback` once when `now() >= at`. @returns how to cancel it. */
  wakeAt(at: number, callback: () => void): () => void;
  /** Resolves after whatever waits in the event loop (signals, sockets, HTTP) has had its turn. */
  yield(): Promise<void>;
}

// setTimeout's delay is a 32-bit integer; a longer one fires at once.
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The system's clock and timers. */
export const SYSTEM_TIME: TimeProvider = {
  now: () => Date.now(),
  wakeAt(at, callback) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const delay = at - Date.now();
      timer = setTimeout(
        delay > LONGEST_DELAY_MS ? arm : fire,
        Math.min(Math.max(delay, 0), LONGEST_DELAY_MS),
      );
    };
    // A timer may fire a millisecond early by the wall clock; then the rest is waited for.
    const fire = (): void => {
      if (Date.now() < at) arm();
      else callback();
    };
    arm();
    return () => {
      clearTimeout(timer);
    };
  },
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};
