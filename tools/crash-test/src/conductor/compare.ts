import type { ResultRow, Tally } from "../tally.ts";
import { cellOf } from "./expected.ts";
import type { Tallies } from "./expected.ts";
import type { Results } from "./read-results.ts";

/**
 * Describes how the results differ from the expected ones; empty: they are exact.
 *
 * The history must have each revision of a window's key, from 0 on, exactly once, and the last one must have the expected
 * tally. The latest rows must be exactly these last ones.
 */
export function compare(expected: Tallies, { history, latest, late }: Results): readonly string[] {
  const differences: string[] = [];
  if (late > 0) differences.push(`${late} events were late, though no event should be`);
  const revisions = revisionsOf(history, differences);
  const hashed = new Map(latest.map((row) => [cellOf(row.window, row.key), row]));
  for (const [cell, tally] of expected) {
    const rows = revisions.get(cell) ?? [];
    const last = rows.at(-1);
    if (last === undefined) differences.push(`${cell}: no row in the history`);
    else if (!isTally(last, tally)) differences.push(`${cell}: the history ends ${unlike(last, tally)}`);
    const missing = rows.findIndex((row) => row === undefined);
    if (missing >= 0) differences.push(`${cell}: revision ${missing} is missing in the history`);
    const row = hashed.get(cell);
    if (row === undefined) differences.push(`${cell}: no row in the hash`);
    else if (!isTally(row, tally)) differences.push(`${cell}: the hash has ${unlike(row, tally)}`);
    else if (row.revision !== rows.length - 1) {
      differences.push(`${cell}: the hash has revision ${row.revision}, the history ${rows.length - 1}`);
    }
  }
  for (const cell of new Set([...revisions.keys(), ...hashed.keys()])) {
    if (!expected.has(cell)) differences.push(`${cell}: a row without events`);
  }
  return differences;
}

/** Groups rows by cell and revision; a missing revision leaves a hole in the array. */
function revisionsOf(
  history: readonly ResultRow[],
  differences: string[],
): ReadonlyMap<string, readonly (ResultRow | undefined)[]> {
  const byCell = new Map<string, (ResultRow | undefined)[]>();
  for (const row of history) {
    const cell = cellOf(row.window, row.key);
    const rows = byCell.get(cell) ?? [];
    byCell.set(cell, rows);
    while (rows.length < row.revision) rows.push(undefined);
    if (rows[row.revision] === undefined) rows[row.revision] = row;
    else differences.push(`${cell}: revision ${row.revision} is twice in the history`);
  }
  return byCell;
}

function isTally(row: Tally, { events, numbers }: Tally): boolean {
  return row.events === events && row.numbers === numbers;
}

function unlike(row: Tally, tally: Tally): string {
  return `with ${row.events} events (sum ${row.numbers}) instead of ${tally.events} (sum ${tally.numbers})`;
}
