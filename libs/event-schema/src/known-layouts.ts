import type { ClickEvent } from "./click-event.ts";
import { LineLayout } from "./line-layout.ts";

/** Programs that write to one channel, or versions of them: seldom more than two. */
const MOST_LAYOUTS = 4;
/** One in so many lines of no known layout is looked at for a new one, so that lines that have none cost little. */
const LEARN_EVERY = 16;
/** The same once all places are taken, since a layout costs as much as some dozen lines. */
const RELEARN_EVERY = 1_024;

/** A match, and which of its groups holds which wanted field. */
export interface LayoutMatch {
  readonly values: RegExpExecArray;
  readonly groups: readonly number[];
}

/** The layouts that lines had so far, the one that matched last in front. */
export class KnownLayouts {
  readonly #wanted: readonly (keyof ClickEvent)[];
  readonly #layouts: LineLayout[] = [];
  #unknown = 0;

  /** @param wanted the fields whose values are read */
  constructor(wanted: readonly (keyof ClickEvent)[]) {
    this.#wanted = wanted;
  }

  /** Matches a line; undefined where it is of no known layout. */
  match(line: string): LayoutMatch | undefined {
    for (const layout of this.#layouts) {
      const values = layout.match(line);
      if (values === null) continue;
      if (layout !== this.#layouts[0]) this.#swapToFront(layout);
      return { values, groups: layout.groups };
    }
    return undefined;
  }

  /** Looks at a line that no layout matched, now and then. @param line known to be a click */
  learn(line: string): void {
    const every = this.#layouts.length < MOST_LAYOUTS ? LEARN_EVERY : RELEARN_EVERY;
    if (this.#unknown++ % every !== 0) return;
    const layout = LineLayout.of(line, this.#wanted);
    if (layout === undefined) return;
    this.#layouts.unshift(layout);
    this.#layouts.length = Math.min(this.#layouts.length, MOST_LAYOUTS);
  }

  /** Two programs may take turns line by line, so this must cost nothing. */
  #swapToFront(layout: LineLayout): void {
    const [first = layout] = this.#layouts;
    this.#layouts[this.#layouts.indexOf(layout)] = first;
    this.#layouts[0] = layout;
  }
}
