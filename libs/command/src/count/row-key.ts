import type { Field, Scalar } from "./field.ts";
import { typeOf } from "./field.ts";

/** How events get their key from fields, and rows their columns from the key. */
export interface RowKey {
  /** @throws TypeError for a field that is an object or an array */
  readonly of: (event: object) => string;
  /** The values of the fields, in their order. */
  readonly valuesOf: (key: string) => readonly Scalar[];
}

/** Events beyond the bound on keys count under this key. */
const OVERFLOW = "(overflow)";
/** Begins the key of a value that is no text; a text that begins so is written the same way. */
const MARK = "=";

/**
 * A single text is the key itself, so that it can be found in Redis. A missing field counts as null.
 */
export function rowKeyOf(fields: readonly Field[]): RowKey {
  const [only, ...more] = fields;
  if (only === undefined) return { of: () => "all", valuesOf: () => [] };
  if (more.length === 0) {
    return { of: (event) => textOf(scalarIn(only, event)), valuesOf: (key) => [scalarOf(key)] };
  }
  return {
    of: (event) => JSON.stringify(fields.map((field) => scalarIn(field, event))),
    valuesOf: (key) => (key === OVERFLOW ? fields.map(() => OVERFLOW) : (JSON.parse(key) as Scalar[])),
  };
}

function scalarIn(field: Field, event: object): Scalar {
  const value = field.of(event);
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "undefined":
      return null;
    default:
      if (value === null) return null;
      throw new TypeError(
        `field "${field.path}" is ${typeOf(value)}, by which nothing can be grouped; name a field within it`,
      );
  }
}

function textOf(value: Scalar): string {
  return typeof value === "string" && !value.startsWith(MARK) && value !== OVERFLOW
    ? value
    : MARK + JSON.stringify(value);
}

function scalarOf(key: string): Scalar {
  return key.startsWith(MARK) ? (JSON.parse(key.slice(MARK.length)) as Scalar) : key;
}
