import { tallyOf } from "../conductor/tally.ts";
import type { CountRow, Tally } from "../conductor/tally.ts";

/** A row that tells its window. */
interface WindowRow extends CountRow {
  readonly window: { readonly open: number };
}

/** Rows by zone and window, each once, however often they are read: Redis forgets them before the end. */
export class LatestRows {
  readonly #lines = new Map<string, string>();

  add(line: string): void {
    const { timezone, window } = JSON.parse(line) as WindowRow;
    this.#lines.set(`${window.open} ${timezone}`, line);
  }

  addAll(lines: readonly string[]): void {
    for (const line of lines) this.add(line);
  }

  tally(): Tally {
    return tallyOf(this.#lines.values());
  }
}
