/** Gathers events with their times, as the columns of a batch. */
export class EventColumns<T> {
  #events: readonly T[] = [];
  /** The same array, if it is a copy made here. */
  #made: T[] | undefined;
  /** `undefined` while no time is known. */
  #times: number[] | undefined;

  get length(): number {
    return this.#events.length;
  }

  /**
   * Adds events that have the same time.
   *
   * @param events kept without a copy: they must not change afterwards
   * @param time of all these events (ms), `NaN`: unknown
   * @param from index of the first one
   * @param to index after the last one
   */
  add(events: readonly T[], time: number, from = 0, to: number = events.length): void {
    const before = this.#events.length;
    if (before === 0 && from === 0 && to === events.length) {
      // No copy: bare lines are already gathered, and a batch is often one frame.
      this.#events = events;
      this.#made = undefined;
    } else {
      this.#made ??= [...this.#events];
      this.#events = this.#made;
      for (let i = from; i < to; i += 1) {
        const event = events[i];
        if (event !== undefined) this.#made.push(event);
      }
    }
    if (this.#times === undefined) {
      if (Number.isNaN(time)) return;
      this.#times = new Array<number>(before).fill(Number.NaN);
    }
    for (let row = before; row < this.#events.length; row += 1) this.#times.push(time);
  }

  /** The columns so far. */
  columns(): { readonly events: readonly T[]; readonly times?: readonly number[] } {
    return this.#times === undefined
      ? { events: this.#events }
      : { events: this.#events, times: this.#times };
  }
}
