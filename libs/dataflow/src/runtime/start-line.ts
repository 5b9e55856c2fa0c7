/**
 * Where the tasks of a run wait for each other before the first one is acquired: only when everything that can be opened
 * before that is open. If one fails, none continues.
 */
export class StartLine {
  readonly #all: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #missing: number;

  /** @param tasks how many must arrive */
  constructor(tasks: number) {
    this.#missing = tasks;
    this.#all = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // If every task failed, no task waits.
    this.#all.catch(() => undefined);
  }

  /** A task is ready. @returns when all are ready; rejects with the error of the first one that failed */
  arrive(): Promise<void> {
    this.#missing -= 1;
    if (this.#missing === 0) this.#resolve();
    return this.#all;
  }

  /** A task failed before it was ready. */
  fail(error: unknown): void {
    this.#reject(error);
  }
}

/** The reason why an opening was aborted. */
export class StoppedWhileStarting extends Error {
  constructor() {
    super("the run was stopped while it started");
  }
}
