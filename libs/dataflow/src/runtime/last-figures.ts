/**
 * Figures that a step or a source gives of itself. They are asked for at any time, also when a run has ended, and are only
 * shown: where they cannot be had, the last ones stand, and what went wrong is reported once.
 */
export class LastFigures<F> {
  readonly #read: () => F;
  readonly #failed: (error: unknown) => void;
  #last: F;
  #reported = false;

  constructor(none: F, read: () => F, failed: (error: unknown) => void) {
    this.#last = none;
    this.#read = read;
    this.#failed = failed;
  }

  /** Never throws. */
  now(): F {
    try {
      this.#last = this.#read();
    } catch (error) {
      if (!this.#reported) this.#failed(error);
      this.#reported = true;
    }
    return this.#last;
  }
}
