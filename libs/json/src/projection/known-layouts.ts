import { LineLayout, type Wanted } from "./line-layout.ts";

/** Max cached layouts: one for each program, or version of it, that writes to the channel; seldom more than two. */
const MOST_LAYOUTS = 4;
/** One in this many unmatched lines is tried as a new layout, so that lines without a layout cost little. */
const LEARN_EVERY = 16;
/** The same once the cache is full: learning a layout costs as much as a few dozen lines. */
const RELEARN_EVERY = 1_024;

/** A cache of layouts, the most recently matched first. A new layout replaces the last one. */
export class KnownLayouts {
  readonly #wanted: Wanted;
  readonly #layouts: LineLayout[] = [];
  #unknown = 0;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** The wanted fields of a line; undefined if it has no known layout. */
  read(line: string): object | undefined {
    for (const layout of this.#layouts) {
      const event = layout.read(line);
      if (event === undefined) continue;
      if (layout !== this.#layouts[0]) this.#moveToFront(layout);
      return event;
    }
    return undefined;
  }

  /** Learns the layout of a line that no layout matched, now and then. @param line known to be an event */
  learn(line: string): void {
    const every = this.#layouts.length < MOST_LAYOUTS ? LEARN_EVERY : RELEARN_EVERY;
    if (this.#unknown++ % every !== 0) return;
    const layout = LineLayout.of(line, this.#wanted);
    if (layout === undefined) return;
    if (this.#layouts.length === MOST_LAYOUTS) this.#layouts.pop();
    this.#layouts.push(layout);
    this.#moveToFront(layout);
  }

  /** In place, because it is frequent: two programs may alternate line by line. */
  #moveToFront(layout: LineLayout): void {
    for (let i = this.#layouts.indexOf(layout); i > 0; i -= 1) {
      this.#layouts[i] = this.#layouts[i - 1] ?? layout;
    }
    this.#layouts[0] = layout;
  }
}
