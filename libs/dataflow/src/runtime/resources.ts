/** What a task opened; closed in reverse order, all of it, whatever fails on the way. */
export class Resources {
  readonly #open: { close(): Promise<void> }[] = [];

  add(resource: { close(): Promise<void> }): void {
    this.#open.push(resource);
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
}
