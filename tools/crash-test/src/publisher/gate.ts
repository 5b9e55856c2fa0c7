/** A semaphore: each `open` lets one wait pass. */
export class Gate {
  #open = 0;
  #waiting: (() => void) | undefined;

  open(): void {
    this.#open += 1;
    this.#waiting?.();
  }

  /** Resolves when there is an unused `open`, and uses it. Only one call at a time. */
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
