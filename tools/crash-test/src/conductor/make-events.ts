import type { TestEvent } from "../click.ts";
import type { Random } from "./random.ts";

/** Time does not matter, as long as it is not the one of the clock. */
const BEGINNING = Date.UTC(2025, 0, 1);
const KEYS = 200;
/** Events in a second of event time, so that a second lasts some 60 ms when the test publishes. */
export const EVENTS_PER_SECOND = 250;
/** This share of the events is out of order, by up to so much. */
const DELAYED = 0.1;
const LONGEST_DELAY_MS = 10_000;

/** Events of a steady stream, some of them delayed, with keys of which a few are frequent and many are not. */
export function* makeEvents(count: number, random: Random): Generator<TestEvent> {
  for (let number = 0; number < count; number += 1) {
    const delay = random.float() < DELAYED ? random.below(LONGEST_DELAY_MS) : 0;
    const at = BEGINNING + Math.floor((number * 1_000) / EVENTS_PER_SECOND) - delay;
    const skewed = random.float() * (0.5 + 0.5 * random.float());
    yield { number, at, key: `Zone/${Math.floor(skewed * KEYS)}` };
  }
}
