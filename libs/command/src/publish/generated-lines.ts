/**
 * Generates events: repeats the given lines in turn, each time with a new id. Deterministic: the same lines give
 * the same events.
 *
 * @param count how many; may be Infinity
 * @param idField the field that holds the id, a text
 * @throws RangeError for a line without an id, or if there are no lines
 */
export function generatedLines(lines: readonly string[], count: number, idField: string): Iterable<string> {
  const id = new RegExp(`${JSON.stringify(idField)}\\s*:\\s*"([^"\\\\]*)"`, "d");
  const patterns = lines.map((line) => patternOf(line, id, idField));
  if (patterns.length === 0) throw new RangeError("there is no line to generate events from");
  return linesFrom(patterns, count);
}

/** The parts of a line before and after its id. */
type Pattern = readonly [before: string, after: string];

function* linesFrom(patterns: readonly Pattern[], count: number): Generator<string, void> {
  for (let number = 0; ;) {
    for (const [before, after] of patterns) {
      if (number === count) return;
      yield before + uuidOf(number) + after;
      number += 1;
    }
  }
}

function patternOf(line: string, id: RegExp, idField: string): Pattern {
  const [from, to] = id.exec(line)?.indices?.[1] ?? [];
  if (from === undefined) {
    throw new RangeError(`cannot generate events from a line without a ${idField}: ${line.slice(0, 80)}`);
  }
  return [line.slice(0, from), line.slice(to)];
}

/** Formats a number as a UUID. */
function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}
