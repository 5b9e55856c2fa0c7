import { namedAsync } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";

interface Resource {
  close(): Promise<void>;
}

/** The resources of a task. They are closed in reverse order, all of them, also after a failure. */
export class Resources {
  /** Wraps an error of its closing. */
  readonly #open = new Map<Resource, NameOf | undefined>();

  /** A resource added again is closed before those that were added in between. @param nameOf wraps an error */
  add(resource: Resource, nameOf?: NameOf): void {
    this.#open.delete(resource);
    this.#open.set(resource, nameOf);
  }

  /** Closes one before the others. */
  async release(resource: Resource): Promise<void> {
    const nameOf = this.#open.get(resource);
    this.#open.delete(resource);
    await (nameOf === undefined ? resource.close() : namedAsync(() => resource.close(), nameOf));
  }

  /** @throws the first failure, after everything was tried */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const resource of [...this.#open.keys()].reverse()) {
      try {
        await this.release(resource);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
