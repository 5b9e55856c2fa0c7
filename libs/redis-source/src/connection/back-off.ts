/** Delays that grow with each failed attempt. */
export interface BackOff {
  /** Longest delay (ms) before the first attempt; it doubles for each one after. */
  readonly firstMs: number;
  /** Longest delay (ms) of all. */
  readonly longestMs: number;
}

/** For retries of connections, and of commands. */
export const CONNECT_BACK_OFF: BackOff = Object.freeze({ firstMs: 50, longestMs: 2_000 });

/**
 * How long (ms) to wait before an attempt: a random time from 0 to a bound that doubles ("full jitter"), so that many
 * clients of one server do not reconnect at the same instant.
 *
 * @param attempt 0 for the first
 * @param random a number from 0 to 1; `@default Math.random`
 */
export function backOffMs(
  attempt: number,
  { firstMs, longestMs }: BackOff,
  random: () => number = Math.random,
): number {
  return Math.round(Math.min(firstMs * 2 ** attempt, longestMs) * random());
}
