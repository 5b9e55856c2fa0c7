import { session, sliding, tumbling } from "./build.ts";
import type { EventItem, Instant, ScenarioItem, WindowerSpec } from "./scenario.ts";

/** Numbers that a seed decides, the same on every machine: a counter in steps, its bits mixed (splitmix32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number, both bounds included. */
  int(least: number, most: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let bits = this.#state ^ (this.#state >>> 16);
    bits = Math.imul(bits, 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return least + (((bits ^ (bits >>> 15)) >>> 0) % (most - least + 1));
  }

  pick<T>(...choices: readonly [T, ...T[]]): T {
    return choices[this.int(0, choices.length - 1)] ?? choices[0];
  }
}

export function randomWindower(random: Random): WindowerSpec {
  const alignTo = random.int(-50, 50);
  const offset = random.int(1, 20);
  return random.pick(
    tumbling(random.int(1, 40), alignTo),
    sliding(offset + random.int(0, 40), offset, alignTo),
    session(random.int(0, 30)),
  );
}

/** What may lie between batches of events. */
export type Between = (now: number) => Instant;

/** How much happens. */
export interface Extent {
  /** Batches, and other things between them, at most. */
  readonly calls: number;
  /** Events that arrive together, at most. */
  readonly batch: number;
}

/** Batches of events out of order, with other things between them. */
export function randomItems(
  random: Random,
  between: readonly [Between, ...Between[]],
  { calls: most, batch: largestBatch }: Extent,
): readonly ScenarioItem[] {
  const items: ScenarioItem[] = [];
  let now = 0;
  const calls = random.int(4, most);
  for (let call = 0; call < calls; call++) {
    now += random.pick(random.int(0, 15), random.int(0, 80));
    if (random.int(1, 4) === 1) {
      items.push(random.pick(...between)(now));
      continue;
    }
    const events = random.int(1, largestBatch);
    for (let i = 0; i < events; i++) {
      const event = randomEvent(random, now, items.length);
      items.push(events === 1 ? event : { ...event, batch: call });
    }
  }
  return items;
}

function randomEvent(random: Random, now: number, value: number): EventItem {
  const lag = random.pick(random.int(-5, 10), random.int(-20, 90));
  return { key: random.pick("a", "b", "c"), ts_ms: now - lag, value, now_ms: now };
}
