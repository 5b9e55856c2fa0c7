import type { Partitioning } from "./contracts/source.ts";
import { FlowError } from "./errors.ts";

/**
 * How a stream's events are known to be divided between the source's partitions: all are in one (`"whole"`), or
 * events with equal values of any of these fields are in the same one. An empty list: unknown.
 */
export type Division = "whole" | readonly string[];

/** What is known of a stream's events, and of its keys if it has keys. */
export interface Divided {
  readonly events: Division;
  readonly keys?: Division;
}

/** Names of the fields of `T` that hold strings. */
export type StringField<T> = { [F in keyof T & string]: T[F] extends string ? F : never }[keyof T & string];

/** What a step that makes new events declares about them. */
export interface KeepsOptions<U> {
  /**
   * A field of the new events that still has the value by which the source's partitions divide the events, so that a
   * later `keyBy` may use it. The step cannot determine that by itself. @default none
   */
  readonly keeps?: StringField<U>;
}

/** The division of a source's own events. */
export function divisionOf(partitioning: Partitioning): Division {
  switch (partitioning.kind) {
    case "single":
      return "whole";
    case "by":
      return [partitioning.field];
    case "arbitrary":
      return [];
  }
}

/** The division of the events that a step made of others. @throws FlowError where there is nothing to keep */
export function divisionAfter(division: Division, keeps: string | undefined, step: string): Division {
  if (division === "whole") return "whole";
  if (keeps === undefined) return [];
  if (division.length > 0) return [keeps];
  throw new FlowError(
    `${step}: keeps names the field ${keeps}, but here no field is known by which the partitions divide the events; leave keeps out, or give it to the earlier step that dropped the field`,
  );
}

/** The division of keys that are the value of `field`, or a function of the event. @throws FlowError */
export function divisionBy(
  division: Division,
  field: string | undefined,
  perPartition: boolean,
  step: string,
): Division {
  if (division === "whole") return division;
  if (field !== undefined && division.includes(field)) return division;
  if (perPartition) return [];
  throw new FlowError(
    `${step}: the key is ${field ?? "a function of the event"}, but the source's partitions are divided by ${division.length === 0 ? "no field that is known here" : division.join(", ")}, so each partition would emit a partial row for the same key; key by the field that divides them, give { keeps: "<field>" } to an earlier step that makes new events, or accept partial rows with { perPartition: true }`,
  );
}

/** The division of a merge of these streams. */
export function divisionOfAll(divisions: readonly Division[]): Division {
  return divisions.reduce((known, other) => {
    if (known === "whole") return other;
    return other === "whole" ? known : known.filter((field) => other.includes(field));
  });
}

/** The division of rows that carry a stream's key in their field `key`, besides the fields that are the key. */
export function divisionByKey(ofKey: Division): Division {
  return ofKey === "whole" || ofKey.length === 0 ? ofKey : ["key", ...ofKey];
}
