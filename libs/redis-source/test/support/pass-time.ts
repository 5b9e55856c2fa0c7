import type { VirtualTime } from "@millrace/dataflow/testing";

/** A wait without success ends after this time on the wall clock, before its test does. */
const LONGEST_MS = 40_000;

/**
 * Moves the time from alarm to alarm, at most a second at a time, with a round trip after each, until a condition
 * holds.
 *
 * @param roundTrip such as a PING
 * @returns how much time has passed, ms
 */
export async function passTimeUntil(
  time: VirtualTime,
  roundTrip: () => Promise<unknown>,
  condition: () => boolean,
): Promise<number> {
  const from = time.now();
  const deadline = performance.now() + LONGEST_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${LONGEST_MS} ms without success`);
    time.set(Math.max(time.now(), Math.min(time.nextAlarm ?? Infinity, time.now() + 1_000)));
    for (let i = 0; i < 3; i += 1) await roundTrip();
    await time.yield();
  }
  return time.now() - from;
}
