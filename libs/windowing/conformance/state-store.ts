import type { Json, StateChange, StateField, StateGroup } from "../src/index.ts";

/** Keeps state as a store would: as text, by group and field, from changes alone. */
export class StateStore {
  readonly #groups = new Map<string, Map<string, string>>();

  apply(changes: readonly StateChange[]): void {
    for (const { group, drop, put = [], delete: gone = [] } of changes) {
      if (drop === true) this.#groups.delete(group);
      const fields = this.#groups.get(group) ?? new Map<string, string>();
      for (const [field, value] of put) fields.set(field, JSON.stringify(value));
      for (const field of gone) fields.delete(field);
      if (fields.size > 0) this.#groups.set(group, fields);
      else this.#groups.delete(group);
    }
  }

  /** All that is kept, read back. */
  load(): StateGroup[] {
    return Array.from(this.#groups, ([group, fields]) => [
      group,
      Array.from(fields, ([field, text]): StateField => [field, JSON.parse(text) as Json]),
    ]);
  }

  get fields(): number {
    let size = 0;
    for (const fields of this.#groups.values()) size += fields.size;
    return size;
  }
}
