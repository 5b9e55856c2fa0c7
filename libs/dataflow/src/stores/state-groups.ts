import type { Json, StateChange, StateGroup } from "@millrace/windowing";

/** Stored state of one task: groups of fields, to which commits apply their changes. */
export class StateGroups {
  readonly #groups = new Map<string, Map<string, Json>>();
  #fields = 0;

  /** Number of fields in all groups. */
  get fields(): number {
    return this.#fields;
  }

  apply(changes: readonly StateChange[]): void {
    for (const { group, drop, put, delete: gone } of changes) {
      if (drop === true) this.#drop(group);
      if (put !== undefined && put.length > 0) {
        const fields = this.#groups.get(group) ?? new Map<string, Json>();
        this.#groups.set(group, fields);
        this.#fields -= fields.size;
        for (const [field, value] of put) fields.set(field, value);
        this.#fields += fields.size;
      }
      if (gone !== undefined) this.#remove(group, gone);
    }
  }

  /** A copy of the groups, which later changes do not affect. @param wanted by name. @default all */
  copy(wanted = (_group: string): boolean => true): readonly StateGroup[] {
    return [...this.#groups].flatMap(([group, fields]): StateGroup[] =>
      wanted(group) ? [[group, [...fields]]] : [],
    );
  }

  #drop(group: string): void {
    this.#fields -= this.#groups.get(group)?.size ?? 0;
    this.#groups.delete(group);
  }

  #remove(group: string, gone: readonly string[]): void {
    const fields = this.#groups.get(group);
    if (fields === undefined) return;
    this.#fields -= fields.size;
    for (const field of gone) fields.delete(field);
    this.#fields += fields.size;
    if (fields.size === 0) this.#groups.delete(group);
  }
}
