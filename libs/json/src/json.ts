import type { StandardSchemaV1 } from "@standard-schema/spec";
import { malformed, type Codec, type DecodeFailure, type DecodeResult, type EventCodec } from "./codec.ts";
import { describeSchema } from "./describe/describe-schema.ts";
import { InvalidOptionError } from "./errors.ts";
import type { ObjectShape } from "./describe/object-shape.ts";
import { resolveOptions, type JsonOptions, type UnknownFields } from "./options.ts";
import { plainEvents } from "./plain-events.ts";
import { projection } from "./projection/projection.ts";
import { lineReader } from "./read-line.ts";
import { shapeFailure, unknownField } from "./shape-failure.ts";
import { unknownFieldsRule } from "./unknown-fields.ts";
import { Thrown, validatorOf } from "./validate.ts";

/** The options of {@link json} without a schema, which knows no fields. */
export type TrustedJsonOptions = Omit<JsonOptions, "unknownFields">;

/** Without a schema any object is an event. */
const ANY_OBJECT: ObjectShape = { fields: new Map(), unknown: "keep", transparent: true, reorders: false };

/**
 * A codec of events, one JSON value a line, for a schema of any library that implements Standard Schema. An event is
 * the output of the schema, with its defaults and transforms. The schema must validate each value by itself: it may be
 * called more than once for a value, and for parts of it.
 *
 * @param schema must be synchronous
 * @throws {@link InvalidOptionError} if an option is invalid.
 * @throws {@link AsyncSchemaError} if a trial shows that the schema is asynchronous; otherwise `decode` throws it.
 */
export function json<Schema extends StandardSchemaV1>(
  schema: Schema,
  options?: JsonOptions,
): EventCodec<StandardSchemaV1.InferOutput<Schema>>;
/**
 * A codec for trusted lines: each must be a JSON object, and counts as a `T` unchecked.
 *
 * @throws {@link InvalidOptionError} if an option is invalid.
 */
export function json<T extends object = Readonly<Record<string, unknown>>>(
  options?: TrustedJsonOptions,
): EventCodec<T>;
export function json(
  ...given: [schemaOrOptions?: StandardSchemaV1 | TrustedJsonOptions, options?: JsonOptions]
): EventCodec<object> {
  const [schemaOrOptions, options] = given;
  if (given.length > 0 && schemaOrOptions === undefined) {
    // Otherwise a schema that a circle of imports leaves undefined would accept every line.
    throw new InvalidOptionError("the schema is undefined; leave it out to trust the lines");
  }
  return schemaOrOptions !== undefined && "~standard" in schemaOrOptions
    ? checkedJson(schemaOrOptions, options ?? {})
    : trustedJson(schemaOrOptions ?? {});
}

function checkedJson(schema: StandardSchemaV1, options: JsonOptions): EventCodec<object> {
  const resolved = resolveOptions(options);
  const described = describeSchema(schema);
  const shape = described && { ...described, unknown: withOption(described.unknown, resolved.unknownFields) };
  const validate = validatorOf(schema);
  const plainEvent = plainEvents(shape);
  const rule = unknownFieldsRule(resolved.unknownFields, shape);

  function judge(value: unknown): DecodeResult<object> {
    const plain = plainEvent(value);
    if (plain !== undefined) return { kind: "event", event: plain };
    const verdict = validate(value);
    if (verdict instanceof Thrown) return malformed(schemaThrew(verdict.error));
    if (verdict.issues !== undefined) return malformed(shapeFailure(verdict.issues[0], value, shape));
    const event = verdict.value;
    // A schema may accept and return other values than objects; those have no fields.
    if (!isObject(value) || !isObject(event)) return { kind: "event", event: event as object };
    const refused = rule.refused(value);
    if (refused !== undefined) return malformed(unknownField(refused));
    return { kind: "event", event: rule.handOn(event, value) };
  }

  return withPick(lineReader(resolved, judge), resolved.maxEventBytes, shape);
}

/** What happens to unknown fields: an option does not allow what the schema refuses. */
function withOption(unknown: ObjectShape["unknown"], option: UnknownFields): ObjectShape["unknown"] {
  return option === "schema" || unknown === "refuse" ? unknown : option;
}

function trustedJson(options: TrustedJsonOptions): EventCodec<object> {
  const resolved = resolveOptions(options);
  const rule = unknownFieldsRule("schema", undefined);

  function judge(value: unknown): DecodeResult<object> {
    if (!isObject(value) || Array.isArray(value)) return malformed(NO_OBJECT);
    return { kind: "event", event: rule.handOn(value, value) };
  }

  return withPick(lineReader(resolved, judge), resolved.maxEventBytes, ANY_OBJECT);
}

function withPick(
  decode: Codec<object>["decode"],
  maxEventBytes: number,
  shape: ObjectShape | undefined,
): EventCodec<object> {
  return {
    decode,
    keepsText: false,
    encode: (event) => JSON.stringify(event),
    pick: (...fields) => projection({ decode, maxEventBytes, shape }, fields),
  };
}

const NO_OBJECT: DecodeFailure = Object.freeze({
  code: "wrong-shape",
  path: "",
  message: "an event is a JSON object",
});

function schemaThrew(error: unknown): DecodeFailure {
  return { code: "schema-threw", message: error instanceof Error ? error.message : String(error) };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
