import { Thrown, validatorOf, type AnySchema } from "../validate.ts";
import type { TextPool } from "./text-pool.ts";
import type { ValueType } from "./value-pattern.ts";

/** One group of a layout's pattern: a value that is read. */
export interface Cell {
  readonly name: string;
  readonly type: ValueType;
  /** Where its texts come from, if the value is handed on. */
  readonly pool: TextPool | undefined;
  /** The schema that has the last word on the value, if the pattern does not say all. */
  readonly schema: AnySchema | undefined;
}

/** Makes an event of a match; undefined where a field's schema refuses its value. */
export type GroupReader = (groups: Groups) => object | undefined;

type Groups = readonly (string | undefined)[];
type Event = Record<string, unknown>;

/**
 * The reader of the groups of a layout.
 *
 * @param wanted the event's fields in their order, none with a name that every object inherits
 * @param cells one for each group
 */
export function groupReader(wanted: readonly string[], cells: readonly Cell[]): GroupReader {
  const places = cells.map((cell, i): Place => ({ ...cell, group: i + 1 }));
  const members = wanted.flatMap((name) => places.find((place) => place.name === name) ?? []);
  // Copied for each event, so that all of them have one hidden class and no store adds a field.
  const empty: Event = Object.fromEntries(members.map(({ name }) => [name, undefined]));
  const checks = places.flatMap((place) => check(place, members.includes(place)));

  const [first, second, third, fourth, ...more] = members;
  return (groups) => {
    const event = { ...empty };
    // Each store of its own, as far as most projections go: one in a loop has to look up the names over and over.
    if (first !== undefined) event[first.name] = valueOf(first, groups);
    if (second !== undefined) event[second.name] = valueOf(second, groups);
    if (third !== undefined) event[third.name] = valueOf(third, groups);
    if (fourth !== undefined) event[fourth.name] = valueOf(fourth, groups);
    for (const member of more) event[member.name] = valueOf(member, groups);
    for (const passes of checks) if (!passes(groups, event)) return undefined;
    return event;
  };
}

/** A cell with the number of its group. */
interface Place extends Cell {
  readonly group: number;
}

function valueOf({ group, type, pool }: Place, groups: Groups): unknown {
  const written = groups[group];
  // A null leaves the group of another type empty.
  if (written === undefined) return null;
  switch (type) {
    case "text":
      // What is checked and not handed on may go on being a part of its line.
      return pool === undefined ? written : pool.own(written);
    case "number":
      return Number(written);
    case "boolean":
      return written === "true";
    case "null":
      return null;
  }
}

/** Whether the field's schema takes its value; if so, and it is wanted, the event has what the schema made of it. */
type Check = (groups: Groups, event: Event) => boolean;

function check(place: Place, isWanted: boolean): readonly Check[] {
  const { name, schema } = place;
  if (schema === undefined) return [];
  const validate = validatorOf(schema);
  return [
    (groups, event) => {
      const verdict = validate(valueOf(place, groups));
      if (verdict instanceof Thrown || verdict.issues !== undefined) return false;
      if (isWanted) event[name] = verdict.value;
      return true;
    },
  ];
}
