import type { ObjectShape } from "./describe/object-shape.ts";
import { InvalidOptionError } from "./errors.ts";
import type { UnknownFields } from "./options.ts";

/** A policy, applied to a schema. */
export interface UnknownFieldsRule {
  /** The first field of a parsed line that must be refused, if any. */
  readonly refused: (line: object) => string | undefined;
  /** The event that is returned. @param line the parsed line */
  readonly handOn: (event: object, line: object) => object;
}

const AS_THE_SCHEMA: UnknownFieldsRule = { refused: () => undefined, handOn: withoutProto };

/** @throws {@link InvalidOptionError} if the policy needs to know the schema's fields, and they cannot be seen. */
export function unknownFieldsRule(policy: UnknownFields, shape: ObjectShape | undefined): UnknownFieldsRule {
  if (policy === "schema") return AS_THE_SCHEMA;
  if (shape === undefined) {
    throw new InvalidOptionError(
      `unknownFields is "${policy}", but the fields of this schema cannot be seen: let the schema itself strip, ` +
        "keep or refuse unknown fields, and leave the option out",
    );
  }
  const isKnown = (name: string): boolean => shape.fields.has(name);
  switch (policy) {
    case "refuse":
      return { refused: (line) => Object.keys(line).find((name) => !isKnown(name)), handOn: withoutProto };
    case "strip":
      return { refused: () => undefined, handOn: (event) => onlyOf(event, isKnown) };
    case "keep":
      return { refused: () => undefined, handOn: (event, line) => withMore(event, line, isKnown) };
  }
}

/** JSON.parse makes `__proto__` a plain field, but Object.assign would make it the copy's prototype. */
function withoutProto(event: object): object {
  if (Object.hasOwn(event, "__proto__")) Reflect.deleteProperty(event, "__proto__");
  return event;
}

function onlyOf(event: object, isKnown: (name: string) => boolean): object {
  const entries = Object.entries(event);
  if (entries.every(([name]) => isKnown(name))) return event;
  return withoutProto(Object.fromEntries(entries.filter(([name]) => isKnown(name))));
}

function withMore(event: object, line: object, isKnown: (name: string) => boolean): object {
  const more = Object.entries(line).filter(([name]) => !isKnown(name) && !Object.hasOwn(event, name));
  if (more.length === 0) return withoutProto(event);
  return withoutProto(Object.fromEntries([...Object.entries(event), ...more]));
}
