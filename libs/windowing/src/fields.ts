import { WindowStateError } from "./errors.ts";
import type { Json } from "./json.ts";

/** JSON has no −Infinity: a watermark that is not there yet is null. */
export function timeToJson(time: number): Json {
  return Number.isFinite(time) ? time : null;
}

export function timeFromJson(json: Json | undefined): number {
  return json === null ? Number.NEGATIVE_INFINITY : numberFrom(json);
}

export function numberFrom(json: Json | undefined): number {
  return typeof json === "number" ? json : damaged("a number", json);
}

export function stringFrom(json: Json | undefined): string {
  return typeof json === "string" ? json : damaged("a text", json);
}

export function listFrom(json: Json | undefined): readonly Json[] {
  return isList(json) ? json : damaged("a list", json);
}

/** The values of an object that must have just these fields, in the order of their names. */
export function recordFrom(json: Json | undefined, names: readonly string[]): readonly Json[] {
  const record = new Map(typeof json === "object" && json !== null ? Object.entries(json) : []);
  const values = names.flatMap((name) => (record.has(name) ? [record.get(name) ?? null] : []));
  const complete = values.length === names.length && record.size === names.length;
  return complete ? values : damaged(`the fields ${names.join(", ")}`, json);
}

/** A field that must be there. */
export function fieldFrom(json: Json | undefined): Json {
  return json === undefined ? damaged("a value", json) : json;
}

export function damaged(expected: string, found: Json | undefined): never {
  throw new WindowStateError(
    `The stored window state is damaged: expected ${expected}, found ${found === undefined ? "nothing" : JSON.stringify(found)}. ` +
      "Restore an intact snapshot, or start without state.",
  );
}

// Array.isArray alone does not narrow a readonly list.
function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}
