/** Lets one task wait for a notification; one that comes before the wait is not lost. */
export class Signal {
  #raised = false;
  #waiting: (() => void) | undefined;

  readonly notify = (): void => {
    this.#raised = true;
    this.#waiting?.();
  };

  async wait(): Promise<void> {
    if (!this.#raised) await new Promise<void>((resolve) => (this.#waiting = resolve));
    this.#raised = false;
    this.#waiting = undefined;
  }
}
