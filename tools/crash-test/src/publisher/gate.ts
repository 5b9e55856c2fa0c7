/** Lets one pass for each time it was opened. */
export class Gate {
  #open = 0;
  #waiting: (() => void) | undefined;

  open(): void {
    this.#open += 1;
    this.#waiting?.();
  }

  /** Resolves when there is an opening left, and uses it up. One call at a time. */
  async passed(): Promise<void> {
    if (this.#open === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#waiting = undefined;
    this.#open -= 1;
  }
}
