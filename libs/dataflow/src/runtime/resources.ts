/** What a task opened; closed in reverse order, all of it, whatever fails on the way. */
export class Resources {
  readonly #open: { close(): Promise<void> }[] = [];

  /** What is added again is closed before all that was added in between. */
  add(resource: { close(): Promise<void> }): void {
    this.#remove(resource);
    this.#open.push(resource);
  }

  /** Closes one before the others. */
  async release(resource: { close(): Promise<void> }): Promise<void> {
    this.#remove(resource);
    await resource.close();
  }

  /** @throws the first failure, after everything was tried */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let resource = this.#open.pop(); resource !== undefined; resource = this.#open.pop()) {
      try {
        await resource.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #remove(resource: { close(): Promise<void> }): void {
    const index = this.#open.indexOf(resource);
    if (index >= 0) this.#open.splice(index, 1);
  }
}
