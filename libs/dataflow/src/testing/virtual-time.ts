import type { TimeProvider } from "../contracts/time-provider.ts";

interface Alarm {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that moves only when a test says so. */
export class VirtualTime implements TimeProvider {
  #now: number;
  readonly #alarms = new Set<Alarm>();

  /** @param startAt ms since the epoch. @default 0 */
  constructor(startAt = 0) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  wakeAt(at: number, callback: () => void): () => void {
    const alarm = { at, callback };
    this.#alarms.add(alarm);
    return () => {
      this.#alarms.delete(alarm);
    };
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** When the next alarm is due; `undefined`: none is set. */
  get nextAlarm(): number | undefined {
    const due = [...this.#alarms].map(({ at }) => at);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Sets the time, also back, and fires what is due by then, earliest first. */
  set(now: number): void {
    this.#now = now;
    const due = [...this.#alarms].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    for (const alarm of due) {
      if (this.#alarms.delete(alarm)) alarm.callback();
    }
  }
}
