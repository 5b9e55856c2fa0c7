/**
 * Where a run gets its time from. Every wait of the runtime uses it, so that a test can replace time and need not
 * sleep.
 *
 * There are two times. `now()` is for timestamps: windows, publish times, what a user reads. `monotonic()` is for
 * intervals: time limits, pauses, rates. A change of the wall clock affects the first, never the second.
 */
export interface TimeProvider {
  /**
   * System time, ms since the epoch. It never decreases: it follows a step forward of the wall clock at once, and after
   * a step back it continues evenly from where it was.
   */
  now(): number;
  /** Ms since an arbitrary instant, independent of the wall clock. Only differences are meaningful. */
  monotonic(): number;
  /** Calls `callback` once when `now() >= at`. For intervals use `wakeAfter`. @returns a function that cancels it */
  wakeAt(at: number, callback: () => void): () => void;
  /** Calls `callback` once after this many ms of `monotonic()`. @returns a cancel function */
  wakeAfter(delayMs: number, callback: () => void): () => void;
  /**
   * Calls `listener` when the wall clock was set by more than a second, once for each step. Any call of `now()` may
   * detect it, so a listener must do no more than record it.
   *
   * @returns a function that removes the listener
   */
  onStep(listener: (step: ClockStep) => void): () => void;
  /** Resolves after everything that waits in the event loop (signals, sockets, HTTP) has run. */
  yield(): Promise<void>;
}

/** A step of the wall clock. */
export interface ClockStep {
  /** By how much, ms; negative: back. */
  readonly byMs: number;
  /** How far `now()` jumped forward because of it, ms; 0 after a step back. */
  readonly skippedMs: number;
  /** How far `now()` is ahead of the wall clock from now on, ms; 0 where it follows it. */
  readonly aheadMs: number;
}

/** A step of the wall clock up to this size (ms) is an adjustment and is not reported. */
const STEP_MS = 1_000;

/** System time, made from a wall clock, which may be set, and a monotonic clock, which may not. */
export class SteadyClock {
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  readonly #listeners = new Set<(step: ClockStep) => void>();
  /** Wall clock minus monotonic clock: the last value, and the largest. */
  #ahead: number;
  #furthest: number;
  #last: number;

  /** Both in ms. */
  constructor(wall: () => number, monotonic: () => number) {
    this.#wall = wall;
    this.#monotonic = monotonic;
    this.#last = wall();
    this.#ahead = this.#last - monotonic();
    this.#furthest = this.#ahead;
  }

  /** The larger of the wall clock and the last `now` plus the time that has passed since. */
  now(): number {
    const wall = this.#wall();
    const monotonic = this.#monotonic();
    const ahead = wall - monotonic;
    const byMs = ahead - this.#ahead;
    this.#ahead = ahead;
    const skippedMs = Math.max(Math.round(ahead - this.#furthest), 0);
    this.#furthest = Math.max(this.#furthest, ahead);
    this.#last = Math.max(this.#last, wall, Math.floor(this.#furthest + monotonic));
    if (Math.abs(byMs) > STEP_MS)
      this.#notify({ byMs: Math.round(byMs), skippedMs, aheadMs: this.#last - wall });
    return this.#last;
  }

  onStep(listener: (step: ClockStep) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #notify(step: ClockStep): void {
    for (const listener of this.#listeners) listener(step);
  }
}

// setTimeout's delay is a 32-bit integer; a longer one fires at once.
const LONGEST_DELAY_MS = 2 ** 31 - 1;
/** How often (ms) the wall clock is checked while a timer waits for a time of day: it may be set forward past it. */
const LOOK_EVERY_MS = 1_000;

const clock = new SteadyClock(
  () => Date.now(),
  () => performance.now(),
);

/** The system's clock and timers. */
export const SYSTEM_TIME: TimeProvider = {
  now: () => clock.now(),
  monotonic: () => performance.now(),
  wakeAt: (at, callback) => wakeWhen(() => at - clock.now(), LOOK_EVERY_MS, callback),
  wakeAfter(delayMs, callback) {
    const at = performance.now() + delayMs;
    return wakeWhen(() => at - performance.now(), LONGEST_DELAY_MS, callback);
  },
  onStep: (listener) => clock.onStep(listener),
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};

/** A timer may fire a moment early; the rest is waited for then. The callback never runs before this has returned. */
function wakeWhen(leftMs: () => number, atMostMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    timer = setTimeout(fire, Math.ceil(Math.min(Math.max(leftMs(), 0), atMostMs)));
  };
  const fire = (): void => {
    if (leftMs() > 0) arm();
    else callback();
  };
  arm();
  return () => {
    clearTimeout(timer);
  };
}
