import type { RawLine } from "@millrace/dataflow";

/** Gathers events with their times, as the columns of a batch. */
export class EventColumns {
  #events: readonly RawLine[] = [];
  /** The same array, if it was made here. */
  #made: RawLine[] | undefined;
  /** Absent while no time is known. */
  #times: number[] | undefined;

  get length(): number {
    return this.#events.length;
  }

  /**
   * @param lines kept as they are: they must not change afterwards
   * @param time of all these lines (ms), `NaN`: unknown
   * @param from index of the first one
   * @param to index behind the last one
   */
  add(lines: readonly RawLine[], time: number, from = 0, to: number = lines.length): void {
    const before = this.#events.length;
    if (before === 0 && from === 0 && to === lines.length) {
      // Bare lines are gathered already, and a batch is often one frame: nothing to copy.
      this.#events = lines;
      this.#made = undefined;
    } else {
      this.#made ??= [...this.#events];
      this.#events = this.#made;
      for (let i = from; i < to; i += 1) {
        const line = lines[i];
        if (line !== undefined) this.#made.push(line);
      }
    }
    if (this.#times === undefined) {
      if (Number.isNaN(time)) return;
      this.#times = new Array<number>(before).fill(Number.NaN);
    }
    for (let row = before; row < this.#events.length; row += 1) this.#times.push(time);
  }

  columns(): { readonly events: readonly RawLine[]; readonly times?: readonly number[] } {
    return this.#times === undefined
      ? { events: this.#events }
      : { events: this.#events, times: this.#times };
  }
}
