import { DURATION_FORM, DurationError, parseDuration } from "@millrace/windowing";

/** How {@link parseSeconds} wants it. */
export const SECONDS_FORM = `a number of seconds, or ${DURATION_FORM}`;

/**
 * Reads a number of seconds, such as `2.01`, or a duration with its unit, such as `500ms`.
 *
 * @param leastMs the shortest that will do; `@default 1`
 * @returns whole milliseconds: the nearest to what is written
 * @throws DurationError for anything else
 */
export function parseSeconds(text: string, leastMs = 1): number {
  try {
    return parseDuration(/\d$/.test(text) ? `${text}s` : text, leastMs);
  } catch {
    throw new DurationError(
      `${JSON.stringify(text)} is not a duration${leastMs > 0 ? " above 0" : ""}: give ${SECONDS_FORM}`,
    );
  }
}
