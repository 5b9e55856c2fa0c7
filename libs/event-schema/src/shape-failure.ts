import type { z } from "zod";
import type { DecodeFailure } from "./codec.ts";

/** A field's name is the sender's, so it may be as long as a line. */
const MAX_NAME_LENGTH = 64;

/** Says of a parsed value that `schema` refuses what is wrong with it: the first fault, in the schema's order. */
export function shapeFailure(schema: z.ZodType, value: unknown): DecodeFailure {
  const issue = schema.safeParse(value).error?.issues[0];
  if (issue?.code === "unrecognized_keys") {
    const path = issue.keys[0] ?? "";
    return { code: "wrong-shape", path, message: `field ${quote(path)} is unknown` };
  }
  const path = issue?.path.join(".") ?? "";
  return { code: "wrong-shape", path, message: describe(issue, path, value) };
}

function describe(issue: z.core.$ZodIssue | undefined, path: string, value: unknown): string {
  if (issue === undefined) return "the value is refused";
  if (path === "") return `a click is a JSON object: ${issue.message}`;
  const missing = typeof value === "object" && value !== null && !Object.hasOwn(value, path);
  return missing ? `field ${quote(path)} is missing` : `field ${quote(path)}: ${issue.message}`;
}

function quote(name: string): string {
  return JSON.stringify(name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH)}…`);
}
