/** Lets one caller wait for news. News that nobody waits for is not kept: look first, then wait. */
export class Signal {
  #wake: (() => void) | undefined;

  /** Resolves at the next {@link notify}. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
