const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** How {@link parseDuration} wants it, for help texts and messages. */
export const DURATION_FORM = "a number with one of the units ms, s, m, h, d, such as 500ms or 5s";

/**
 * Reads `500ms`, `5s`, `1.5m`, `2h` or `1d`.
 *
 * @param leastMs the shortest that will do; `@default 1`
 * @returns whole milliseconds
 * @throws RangeError for anything else
 */
export function parseDuration(text: string, leastMs = 1): number {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  const ms = isUnit(unit) ? Number(amount) * UNIT_MS[unit] : Number.NaN;
  if (!Number.isSafeInteger(ms) || ms < leastMs) {
    throw new RangeError(`${JSON.stringify(text)} is not a duration: give ${DURATION_FORM}`);
  }
  return ms;
}

function isUnit(text: string | undefined): text is keyof typeof UNIT_MS {
  return text !== undefined && text in UNIT_MS;
}
