import { SteadyClock } from "../contracts/time-provider.ts";
import type { ClockStep, TimeProvider } from "../contracts/time-provider.ts";

/** A timer for a time of day, or for an interval. */
interface Alarm {
  readonly clock: "wall" | "monotonic";
  readonly at: number;
  readonly callback: () => void;
}

/** Time that only a test moves: `set` advances it, `stepWall` sets its wall clock. */
export class VirtualTime implements TimeProvider {
  readonly #clock: SteadyClock;
  #wall: number;
  #monotonic = 0;
  readonly #alarms = new Set<Alarm>();

  /** @param startAt ms since the epoch. @default 0 */
  constructor(startAt = 0) {
    this.#wall = startAt;
    this.#clock = new SteadyClock(
      () => this.#wall,
      () => this.#monotonic,
    );
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#monotonic;
  }

  wakeAt(at: number, callback: () => void): () => void {
    return this.#arm({ clock: "wall", at, callback });
  }

  wakeAfter(delayMs: number, callback: () => void): () => void {
    return this.#arm({ clock: "monotonic", at: this.#monotonic + delayMs, callback });
  }

  onStep(listener: (step: ClockStep) => void): () => void {
    return this.#clock.onStep(listener);
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** What `now()` will be when the next alarm is due; `undefined`: none is set. */
  get nextAlarm(): number | undefined {
    const now = this.now();
    const due = [...this.#alarms].map((alarm) => now + this.#leftOf(alarm));
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Advances time to `now`, and fires what is due by then, earliest first. An earlier time changes nothing. */
  set(now: number): void {
    const passes = Math.max(now - this.now(), 0);
    this.#wall += passes;
    this.#monotonic += passes;
    this.#fire();
  }

  /** Sets the wall clock without advancing time. @param byMs negative: back */
  stepWall(byMs: number): void {
    this.#wall += byMs;
    this.#fire();
  }

  #arm(alarm: Alarm): () => void {
    this.#alarms.add(alarm);
    return () => {
      this.#alarms.delete(alarm);
    };
  }

  #leftOf({ clock, at }: Alarm): number {
    return at - (clock === "wall" ? this.now() : this.#monotonic);
  }

  #fire(): void {
    const due = [...this.#alarms]
      .map((alarm) => ({ alarm, left: this.#leftOf(alarm) }))
      .filter(({ left }) => left <= 0)
      .sort((a, b) => a.left - b.left);
    for (const { alarm } of due) {
      if (this.#alarms.delete(alarm)) alarm.callback();
    }
  }
}
