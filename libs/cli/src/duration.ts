const UNIT_MS = { ms: 1n, s: 1_000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n } as const;

const DURATION = /^(\d*)(?:\.(\d+))?(ms|s|m|h|d)$/;

/** How {@link parseDuration} wants it, for help texts and messages. */
export const DURATION_FORM = "a number with one of the units ms, s, m, h, d, such as 500ms or 5s";

/**
 * Reads `500ms`, `5s`, `1.5m`, `2h` or `0.7d`.
 *
 * @param leastMs the shortest that will do; `@default 1`
 * @returns whole milliseconds: the nearest to what is written, exactly
 * @throws RangeError for anything else
 */
export function parseDuration(text: string, leastMs = 1): number {
  const [, whole = "", fraction = "", unit] = DURATION.exec(text) ?? [];
  const ms = isUnit(unit) ? millisecondsOf(whole, fraction, UNIT_MS[unit]) : Number.NaN;
  if (!Number.isSafeInteger(ms) || ms < leastMs) {
    throw new RangeError(`${JSON.stringify(text)} is not a duration: give ${DURATION_FORM}`);
  }
  return ms;
}

/** How {@link parseSeconds} wants it. */
export const SECONDS_FORM = `a number of seconds, or ${DURATION_FORM}`;

/**
 * Reads a number of seconds, such as `2.01`, or a duration with its unit, such as `500ms`.
 *
 * @param leastMs the shortest that will do; `@default 1`
 * @returns whole milliseconds: the nearest to what is written
 * @throws RangeError for anything else
 */
export function parseSeconds(text: string, leastMs = 1): number {
  try {
    return parseDuration(/\d$/.test(text) ? `${text}s` : text, leastMs);
  } catch {
    throw new RangeError(
      `${JSON.stringify(text)} is not a duration${leastMs > 0 ? " above 0" : ""}: give ${SECONDS_FORM}`,
    );
  }
}

/** By whole numbers: 2.01 * 1000 is not 2010. */
function millisecondsOf(whole: string, fraction: string, unitMs: bigint): number {
  if (whole === "" && fraction === "") return Number.NaN;
  const parts = 10n ** BigInt(fraction.length);
  const inParts = BigInt(whole + fraction) * unitMs;
  return Number((2n * inParts + parts) / (2n * parts));
}

function isUnit(text: string | undefined): text is keyof typeof UNIT_MS {
  return text !== undefined && text in UNIT_MS;
}
