import { reduce } from "./reduce.ts";
import type { Action, State } from "./model.ts";

/** When the page renders: what a browser gives it, or a test. */
export interface Frames {
  /** Calls back once, before the next frame is drawn. */
  request(callback: () => void): void;
  hidden(): boolean;
}

/**
 * Holds the state. However many actions come, it renders at most once per frame, and not at all while the page is hidden:
 * {@link Store.shown} catches up.
 */
export class Store {
  #state: State;
  #requested = false;
  readonly #frames: Frames;
  readonly #render: (state: State) => void;
  readonly #watchers: ((state: State) => void)[] = [];

  constructor(state: State, frames: Frames, render: (state: State) => void) {
    this.#state = state;
    this.#frames = frames;
    this.#render = render;
  }

  get state(): State {
    return this.#state;
  }

  readonly dispatch = (action: Action): void => {
    const before = this.#state;
    this.#state = reduce(before, action);
    if (this.#state === before) return;
    this.#request();
    for (const watch of this.#watchers) watch(this.#state);
  };

  /** Calls `watch` after each change, for what loads more. */
  watch(watch: (state: State) => void): void {
    this.#watchers.push(watch);
  }

  /** The page has become visible. */
  shown(): void {
    this.#request();
  }

  #request(): void {
    if (this.#requested || this.#frames.hidden()) return;
    this.#requested = true;
    this.#frames.request(() => {
      this.#requested = false;
      this.#render(this.#state);
    });
  }
}
