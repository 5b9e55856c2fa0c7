import type { Json, StateChange, StateGroup } from "@millrace/windowing";

/** Kept state of one task: groups of fields, to which commits apply their changes. */
export class StateGroups {
  readonly #groups = new Map<string, Map<string, Json>>();

  apply(changes: readonly StateChange[]): void {
    for (const { group, drop, put, delete: gone } of changes) {
      if (drop === true) this.#groups.delete(group);
      if (put !== undefined && put.length > 0) {
        const fields = this.#groups.get(group) ?? new Map<string, Json>();
        this.#groups.set(group, fields);
        for (const [field, value] of put) fields.set(field, value);
      }
      if (gone !== undefined) this.#remove(group, gone);
    }
  }

  /** The groups as they are now; later changes do not reach the copy. */
  copy(): readonly StateGroup[] {
    return [...this.#groups].map(([group, fields]) => [group, [...fields]]);
  }

  #remove(group: string, gone: readonly string[]): void {
    const fields = this.#groups.get(group);
    if (fields === undefined) return;
    for (const field of gone) fields.delete(field);
    if (fields.size === 0) this.#groups.delete(group);
  }
}
