/**
 * Metrics that a step or a source reports. They may be read at any time, also after the run, and are only displayed: if
 * reading fails, the last values are returned and the error is reported once.
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
