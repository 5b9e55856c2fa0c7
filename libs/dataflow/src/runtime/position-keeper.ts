import type { Json, StateChange, StateGroup } from "@millrace/windowing";
import type { PositionCodec } from "../contracts/source.ts";
import { named } from "./name-errors.ts";
import type { NameOf } from "./name-errors.ts";

/** Group of the source's step that holds the fields of its position. */
const GROUP = "position";

/** The group that holds the fields of the position of an input. @param step its id */
export function groupOfPosition(step: string): string {
  return `${step}/${GROUP}`;
}

/** The part of a position that a commit writes. */
export interface KeptPosition {
  readonly position: Json;
  readonly changes: readonly StateChange[];
}

/** Writes only the changes of a source's position, if the source can divide it. */
export class PositionKeeper {
  readonly #codec: PositionCodec | undefined;
  readonly #nameOf: NameOf;
  /** The group that holds the fields. */
  readonly group: string;
  /** Fields as text, as the store has them. */
  #kept = new Map<string, string>();
  #next = this.#kept;

  /** @param step id of the source's step; @param nameOf wraps an error of its codec */
  constructor(step: string, codec: PositionCodec | undefined, nameOf: NameOf) {
    this.#codec = codec;
    this.#nameOf = nameOf;
    this.group = groupOfPosition(step);
  }

  /** The whole stored position. @param groups stored groups, with {@link group} */
  restore(position: Json, groups: Iterable<StateGroup>): Json {
    let entries: (readonly [string, Json])[] = [];
    for (const [group, kept] of groups) if (group === this.group) entries = [...kept];
    // Sorted, so that equal positions are equal as text.
    const fields = new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#kept = textsOf(fields);
    const codec = this.#codec;
    if (codec === undefined || fields.size === 0) return position;
    return named(() => codec.unite({ head: position, fields }), this.#nameOf);
  }

  /** What the next commit writes. */
  next(position: Json): KeptPosition {
    const codec = this.#codec;
    if (codec === undefined) return { position, changes: [] };
    const { head, fields } = named(() => codec.divide(position), this.#nameOf);
    this.#next = textsOf(fields);
    const put = [...fields].filter(([field]) => this.#kept.get(field) !== this.#next.get(field));
    const gone = [...this.#kept.keys()].filter((field) => !this.#next.has(field));
    const changes = put.length === 0 && gone.length === 0 ? [] : [{ group: this.group, put, delete: gone }];
    return { position: head, changes };
  }

  /** The store has what {@link next} returned. */
  committed(): void {
    this.#kept = this.#next;
  }
}

function textsOf(fields: ReadonlyMap<string, Json>): Map<string, string> {
  return new Map(Array.from(fields, ([field, value]) => [field, JSON.stringify(value)]));
}
