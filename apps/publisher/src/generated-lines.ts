const CLICK_ID = /"click_id"\s*:\s*"([^"\\]*)"/d;

/**
 * Generates events: repeats the given lines in turn, each time with a new click id. Deterministic: the same lines give
 * the same events.
 *
 * @param count how many; may be Infinity
 * @throws RangeError for a line without a click id, or if there are no lines
 */
export function generatedLines(lines: readonly string[], count: number): Iterable<string> {
  const patterns = lines.map(patternOf);
  if (patterns.length === 0) throw new RangeError("there is no line to generate events from");
  return linesFrom(patterns, count);
}

/** The parts of a line before and after its click id. */
type Pattern = readonly [before: string, after: string];

function* linesFrom(patterns: readonly Pattern[], count: number): Generator<string, void> {
  for (let number = 0; ;) {
    for (const [before, after] of patterns) {
      if (number === count) return;
      yield before + clickId(number) + after;
      number += 1;
    }
  }
}

function patternOf(line: string): Pattern {
  const [from, to] = CLICK_ID.exec(line)?.indices?.[1] ?? [];
  if (from === undefined) {
    throw new RangeError(`cannot generate events from a line without a click_id: ${line.slice(0, 80)}`);
  }
  return [line.slice(0, from), line.slice(to)];
}

/** Formats a number as a UUID, the usual form of click ids. */
function clickId(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}
