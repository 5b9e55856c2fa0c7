/** A field of events, by its path. */
export interface Field {
  /** As it is typed: names joined by dots, such as `user.id`. */
  readonly path: string;
  /** Its value in an event; `undefined`: the event has no such field. */
  readonly of: (event: object) => unknown;
}

/** A field, and the name of its column in rows. */
export interface NamedField {
  readonly field: Field;
  /** As given with `as`. */
  readonly name: string | undefined;
}

/** A value that an event holds in a field. */
export type Scalar = string | number | boolean | null;

/** Reads a path. @throws RangeError */
export function parseField(given: string): Field {
  const path = given.trim();
  const names = path.split(".");
  if (names.some((name) => name === "")) {
    throw new RangeError(`${JSON.stringify(given)} is no field: give its name, or a path such as user.id`);
  }
  return {
    path,
    of: (event) => names.reduce<unknown>(memberOf, event),
  };
}

/** Reads `<field>`, or `<field> as <name>`. @throws RangeError */
export function parseNamedField(given: string): NamedField {
  if (/\sas\s*$/i.test(given)) {
    throw new RangeError(
      `${JSON.stringify(given)} has no name after as: give one, such as "amount as total"`,
    );
  }
  const [, path = "", name] = /^(.*?)(?:\s+as\s+(\S.*?))?\s*$/is.exec(given) ?? [];
  return { field: parseField(path), name };
}

function memberOf(value: unknown, name: string): unknown {
  // Else an event without such a field would have those that every object has.
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

/** What JSON calls the type of a value, for messages. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  const type = typeof value;
  if (type === "string") return "a text";
  return type === "object" ? "an object" : `a ${type}`;
}
