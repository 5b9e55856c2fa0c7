/**
 * Where a run gets its time from. Every wait of the runtime goes through it, so that a test replaces time as a whole
 * and no test has to sleep.
 *
 * There are two times. `now()` is for timestamps: windows, publish times, what a user reads. `monotonic()` is for
 * intervals: time limits, pauses, rates. A step of the wall clock moves the first and never the second.
 */
export interface TimeProvider {
  /**
   * System time, ms since the epoch. It never goes back: a step of the wall clock forth is taken at once, and after a
   * step back time goes on evenly from where it was.
   */
  now(): number;
  /** Ms since some instant in the past, evenly, whatever the wall clock does. Only differences mean anything. */
  monotonic(): number;
  /** Calls `callback` once when `now() >= at`. For what is due at a time of day; a wait is `wakeAfter`. @returns how to cancel it. */
  wakeAt(at: number, callback: () => void): () => void;
  /** Calls `callback` once when so many ms have passed by `monotonic()`. @returns how to cancel it. */
  wakeAfter(delayMs: number, callback: () => void): () => void;
  /**
   * Calls `listener` when the wall clock is found to have been set by more than a second, once for each step. Any call of
   * `now()` may find it, so a listener only notes it.
   *
   * @returns how to stop listening
   */
  onStep(listener: (step: ClockStep) => void): () => void;
  /** Resolves after whatever waits in the event loop (signals, sockets, HTTP) has had its turn. */
  yield(): Promise<void>;
}

/** The wall clock was set. */
export interface ClockStep {
  /** By how much, ms; negative: back. */
  readonly byMs: number;
  /** How far `now()` went forth by it at once, ms; 0 after a step back. */
  readonly skippedMs: number;
  /** How far `now()` is ahead of the wall clock from here on, ms; 0 where it follows it. */
  readonly aheadMs: number;
}

/** A wall clock that is set by no more than this (ms) is being adjusted, which is not worth a word. */
const STEP_MS = 1_000;

/** System time made of a wall clock, which is set now and then, and of a monotonic one, which is not. */
export class SteadyClock {
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  readonly #listeners = new Set<(step: ClockStep) => void>();
  /** Wall clock less monotonic one: the last time, and at its largest. */
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
      this.#tell({ byMs: Math.round(byMs), skippedMs, aheadMs: this.#last - wall });
    return this.#last;
  }

  onStep(listener: (step: ClockStep) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #tell(step: ClockStep): void {
    for (const listener of this.#listeners) listener(step);
  }
}

// setTimeout's delay is a 32-bit integer; a longer one fires at once.
const LONGEST_DELAY_MS = 2 ** 31 - 1;
/** The wall clock is looked at so often (ms) while a time of day is waited for: it may be set forth past it. */
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

/** A timer may fire a moment early, and then the rest is waited for. Never calls back before it has returned. */
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
