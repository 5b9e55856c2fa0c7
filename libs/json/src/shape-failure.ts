import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { DecodeFailure } from "./codec.ts";
import { look } from "./describe/look.ts";
import type { ObjectShape } from "./describe/object-shape.ts";

/** The sender chooses a field's name, so it may be as long as a line. */
const MAX_NAME_LENGTH = 64;
/** Some libraries repeat the value in their message. In UTF-16 units. */
const MAX_MESSAGE_LENGTH = 500;

/** Why a schema refuses a parsed value: the first fault, in the schema's order. */
export function shapeFailure(
  issue: StandardSchemaV1.Issue | undefined,
  value: unknown,
  shape: ObjectShape | undefined,
): DecodeFailure {
  const names = pathOf(issue);
  const [first = "", ...deeper] = names;
  if (names.length > 0 && deeper.length === 0 && shape?.fields.has(first) === false)
    return unknownField(first);
  const path = names.join(".");
  const complaint = cut(issue?.message ?? "the schema refuses it", MAX_MESSAGE_LENGTH);
  if (names.length === 0) return { code: "wrong-shape", path, message: complaint };
  const message = isMissing(names, value)
    ? `field ${quoteName(path)} is missing`
    : `field ${quoteName(path)}: ${complaint}`;
  return { code: "wrong-shape", path, message };
}

/** The failure for a field that the schema does not have. */
export function unknownField(name: string): DecodeFailure {
  return { code: "wrong-shape", path: name, message: `field ${quoteName(name)} is unknown` };
}

/** A name for a message, cut if it is long. */
export function quoteName(name: string): string {
  return JSON.stringify(cut(name, MAX_NAME_LENGTH));
}

function pathOf(issue: StandardSchemaV1.Issue | undefined): readonly string[] {
  const path = issue?.path ?? [];
  // Not `map`: a path need not be an array.
  const names = Array.from(path, (part) => String(typeof part === "object" ? part.key : part));
  // For unknown fields zod has the names beside the path.
  const unknown = look(issue, "keys", "0");
  return typeof unknown === "string" ? [...names, unknown] : names;
}

function isMissing(names: readonly string[], value: unknown): boolean {
  let at = value;
  for (const name of names) {
    if (typeof at !== "object" || at === null) return false;
    if (!Object.hasOwn(at, name)) return true;
    at = Reflect.get(at, name);
  }
  return false;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
