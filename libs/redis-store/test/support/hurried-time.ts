import { SYSTEM_TIME } from "@millrace/dataflow";
import type { TimeProvider } from "@millrace/dataflow";

interface Alarm {
  readonly at: number;
  readonly fire: () => void;
}

/** Real time that can be set ahead. */
export class HurriedTime implements TimeProvider {
  #ahead = 0;
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return SYSTEM_TIME.now() + this.#ahead;
  }

  wakeAt(at: number, callback: () => void): () => void {
    const stop = SYSTEM_TIME.wakeAt(at - this.#ahead, () => {
      alarm.fire();
    });
    const cancel = (): void => {
      stop();
      this.#alarms.delete(alarm);
    };
    const alarm: Alarm = {
      at,
      fire: () => {
        cancel();
        callback();
      },
    };
    this.#alarms.add(alarm);
    return cancel;
  }

  monotonic(): number {
    return SYSTEM_TIME.monotonic() + this.#ahead;
  }

  wakeAfter(delayMs: number, callback: () => void): () => void {
    return this.wakeAt(this.now() + delayMs, callback);
  }

  onStep(): () => void {
    return () => undefined;
  }

  yield(): Promise<void> {
    return SYSTEM_TIME.yield();
  }

  /** Sets time ahead; timers that are due by then fire. */
  skip(ms: number): void {
    this.#ahead += ms;
    const now = this.now();
    for (const alarm of [...this.#alarms]) {
      if (alarm.at <= now && this.#alarms.has(alarm)) alarm.fire();
    }
  }
}
