import { InvalidOptionError, requireLimit } from "./errors.ts";

/** How lines are read. */
export interface JsonOptions {
  /**
   * The longest line that is read, in bytes of UTF-8, a trailing `\r` included.
   * @default 65536
   */
  readonly maxEventBytes?: number;
  /**
   * What happens to fields that the schema does not have, on the top level: `schema` leaves that to the schema, `strip`
   * leaves them out of the event, `keep` lets them through unchecked, `refuse` makes the line `wrong-shape`. All but
   * `schema` need a schema whose fields can be seen: an object of zod 4, valibot or arktype. A field that the schema
   * itself refuses is also refused with `keep`. `__proto__` is never part of an event.
   * @default "schema"
   */
  readonly unknownFields?: UnknownFields;
  /**
   * What happens to an object with two members of the same name, on any level: with `last` the last one counts, as
   * with JSON.parse; `refuse` makes the line `duplicate-name`, and reads each line twice.
   * @default "last"
   */
  readonly duplicateNames?: DuplicateNames;
}

/** See {@link JsonOptions.unknownFields}. */
export type UnknownFields = "schema" | "strip" | "keep" | "refuse";
/** See {@link JsonOptions.duplicateNames}. */
export type DuplicateNames = "last" | "refuse";

/** The default options of {@link json}. */
export const DEFAULT_JSON_OPTIONS: Readonly<Required<JsonOptions>> = Object.freeze({
  maxEventBytes: 65_536,
  unknownFields: "schema",
  duplicateNames: "last",
});

const UNKNOWN_FIELDS: readonly string[] = ["schema", "strip", "keep", "refuse"] satisfies UnknownFields[];
const DUPLICATE_NAMES: readonly string[] = ["last", "refuse"] satisfies DuplicateNames[];

/** The options with their defaults. @throws {@link InvalidOptionError} if one is invalid. */
export function resolveOptions(options: JsonOptions): Required<JsonOptions> {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(DEFAULT_JSON_OPTIONS, name)) continue;
    throw new InvalidOptionError(
      `there is no option "${name}"; a schema must implement Standard Schema (have a "~standard" property)`,
    );
  }
  const defaults = DEFAULT_JSON_OPTIONS;
  const {
    maxEventBytes = defaults.maxEventBytes,
    unknownFields = defaults.unknownFields,
    duplicateNames = defaults.duplicateNames,
  } = options;
  requireLimit("maxEventBytes", maxEventBytes);
  requireOneOf("unknownFields", unknownFields, UNKNOWN_FIELDS);
  requireOneOf("duplicateNames", duplicateNames, DUPLICATE_NAMES);
  return { maxEventBytes, unknownFields, duplicateNames };
}

function requireOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new InvalidOptionError(`${name} is "${value}"; give one of "${allowed.join('", "')}"`);
}
