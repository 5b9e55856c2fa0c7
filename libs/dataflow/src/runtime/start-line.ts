/**
 * Where the tasks of a run wait for each other before the first of them is taken over from another worker: only when all
 * that can be opened before is open. If one fails, none goes on.
 */
export class StartLine {
  readonly #all: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #missing: number;

  /** @param tasks how many are awaited */
  constructor(tasks: number) {
    this.#missing = tasks;
    this.#all = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Where every task failed none is left that waits.
    this.#all.catch(() => undefined);
  }

  /** A task that is ready. @returns when all are; rejects with the error of the first one that failed */
  arrive(): Promise<void> {
    this.#missing -= 1;
    if (this.#missing === 0) this.#resolve();
    return this.#all;
  }

  /** A task that does not arrive. */
  fail(error: unknown): void {
    this.#reject(error);
  }
}
