import { Thrown, validatorOf, type AnySchema } from "../validate.ts";
import type { TextPool } from "./text-pool.ts";
import type { ValueType } from "./value-pattern.ts";

/** One group of a layout's pattern: a value that is read. */
export interface Cell {
  readonly name: string;
  readonly type: ValueType;
  /** The pool of its texts, if the value is part of the event. */
  readonly pool: TextPool | undefined;
  /** The schema that checks the value, if the pattern alone does not decide. */
  readonly schema: AnySchema | undefined;
}

/** Builds the event of a match; undefined if a field's schema refuses its value. */
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
    // A store for each of the first four, which most projections have: a loop looks up the name each time.
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
  // For a null the group is empty.
  if (written === undefined) return null;
  switch (type) {
    case "text":
      // A text that is only checked may stay a part of its line.
      return pool === undefined ? written : pool.own(written);
    case "number":
      return Number(written);
    case "boolean":
      return written === "true";
    case "null":
      return null;
  }
}

/** Whether the field's schema accepts its value. If the field is wanted, the event gets the schema's output. */
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
