import type { ClickEvent } from "./click-event.ts";
import { LineLayout } from "./line-layout.ts";

/** Max cached layouts: one for each program, or version of it, that writes to the channel; seldom more than two. */
const MOST_LAYOUTS = 4;
/** One in this many unmatched lines is tried as a new layout, so that lines without a layout cost little. */
const LEARN_EVERY = 16;
/** The same once the cache is full: learning a layout costs as much as a few dozen lines. */
const RELEARN_EVERY = 1_024;

/** A match, and for each wanted field the number of its group. */
export interface LayoutMatch {
  readonly values: RegExpExecArray;
  readonly groups: readonly number[];
}

/** A cache of layouts, the most recently matched first. A new layout replaces the last one. */
export class KnownLayouts {
  readonly #wanted: readonly (keyof ClickEvent)[];
  readonly #layouts: LineLayout[] = [];
  #unknown = 0;

  /** @param wanted the fields whose values are read */
  constructor(wanted: readonly (keyof ClickEvent)[]) {
    this.#wanted = wanted;
  }

  /** Matches a line; undefined if it has no known layout. */
  match(line: string): LayoutMatch | undefined {
    for (const layout of this.#layouts) {
      const values = layout.match(line);
      if (values === null) continue;
      if (layout !== this.#layouts[0]) this.#moveToFront(layout);
      return { values, groups: layout.groups };
    }
    return undefined;
  }

  /** Learns the layout of a line that no layout matched, now and then. @param line known to be a click */
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
