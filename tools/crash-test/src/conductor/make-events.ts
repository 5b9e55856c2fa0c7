import type { TestEvent } from "../click.ts";
import type { Random } from "./random.ts";

/** Any event time works, if it differs from the clock's. */
const BEGINNING = Date.UTC(2025, 0, 1);
const KEYS = 200;
/** Events in a second of event time, which takes about 60 ms to publish. */
export const EVENTS_PER_SECOND = 250;
/** Share of the events that are out of order, and by how much at most. */
const DELAYED = 0.1;
const LONGEST_DELAY_MS = 10_000;

/**
 * Generates a steady stream of events. Some are delayed; a few keys are frequent and many are rare.
 *
 * @param perSecond events in a second of event time
 */
export function* makeEvents(
  count: number,
  random: Random,
  perSecond = EVENTS_PER_SECOND,
): Generator<TestEvent> {
  for (let number = 0; number < count; number += 1) {
    const delay = random.float() < DELAYED ? random.below(LONGEST_DELAY_MS) : 0;
    const at = BEGINNING + Math.floor((number * 1_000) / perSecond) - delay;
    const skewed = random.float() * (0.5 + 0.5 * random.float());
    yield { number, at, key: `Zone/${Math.floor(skewed * KEYS)}` };
  }
}
