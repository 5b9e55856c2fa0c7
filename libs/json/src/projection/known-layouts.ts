import { LineLayout, type Wanted } from "./line-layout.ts";

/** Programs that write to one channel, or versions of them: seldom more than two. */
const MOST_LAYOUTS = 4;
/** One in so many lines of no known layout is looked at for a new one, so that lines that have none cost little. */
const LEARN_EVERY = 16;
/** The same once all places are taken, since a layout costs as much as some dozen lines. */
const RELEARN_EVERY = 1_024;

/** The layouts that lines had so far, those that matched last in front: the last of all gives way to a new one. */
export class KnownLayouts {
  readonly #wanted: Wanted;
  readonly #layouts: LineLayout[] = [];
  #unknown = 0;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** The wanted fields of a line; undefined where it is of no known layout. */
  read(line: string): object | undefined {
    for (const layout of this.#layouts) {
      const event = layout.read(line);
      if (event === undefined) continue;
      if (layout !== this.#layouts[0]) this.#moveToFront(layout);
      return event;
    }
    return undefined;
  }

  /** Looks at a line that no layout matched, now and then. @param line known to be an event */
  learn(line: string): void {
    const every = this.#layouts.length < MOST_LAYOUTS ? LEARN_EVERY : RELEARN_EVERY;
    if (this.#unknown++ % every !== 0) return;
    const layout = LineLayout.of(line, this.#wanted);
    if (layout === undefined) return;
    if (this.#layouts.length === MOST_LAYOUTS) this.#layouts.pop();
    this.#layouts.push(layout);
    this.#moveToFront(layout);
  }

  /** In place: two programs may take turns line by line. */
  #moveToFront(layout: LineLayout): void {
    for (let i = this.#layouts.indexOf(layout); i > 0; i -= 1) {
      this.#layouts[i] = this.#layouts[i - 1] ?? layout;
    }
    this.#layouts[0] = layout;
  }
}
