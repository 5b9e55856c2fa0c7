import type { StandardSchemaV1 } from "@standard-schema/spec";
import { malformed, type Codec, type DecodeFailure, type DecodeResult, type JsonCodec } from "./codec.ts";
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

/** The options of {@link json} without a schema: there is none that knows fields. */
export type TrustedJsonOptions = Omit<JsonOptions, "unknownFields">;

/** Without a schema nothing is known of an object, and nothing but its fields makes the event. */
const ANY_OBJECT: ObjectShape = { fields: new Map(), unknown: "keep", transparent: true, reorders: false };

/**
 * A codec of events, one JSON value a line, for a schema of any library that implements Standard Schema. An event is
 * what the schema gives out: its defaults and transforms have been applied. The schema must judge each value by itself:
 * it may be asked more than once, and of parts.
 *
 * @param schema must be synchronous
 * @throws {@link InvalidOptionError} if an option is invalid.
 * @throws {@link AsyncSchemaError} if a trial shows that the schema is asynchronous; where it shows later, `decode` throws.
 */
export function json<Schema extends StandardSchemaV1>(
  schema: Schema,
  options?: JsonOptions,
): JsonCodec<StandardSchemaV1.InferOutput<Schema>>;
/**
 * A codec for trusted lines: each must be a JSON object, and is taken for a `T` unchecked.
 *
 * @throws {@link InvalidOptionError} if an option is invalid.
 */
export function json<T extends object = Readonly<Record<string, unknown>>>(
  options?: TrustedJsonOptions,
): JsonCodec<T>;
export function json(
  ...given: [schemaOrOptions?: StandardSchemaV1 | TrustedJsonOptions, options?: JsonOptions]
): JsonCodec<object> {
  const [schemaOrOptions, options] = given;
  if (given.length > 0 && schemaOrOptions === undefined) {
    // Else a schema that is not there yet, in a circle of imports, would let every line through.
    throw new InvalidOptionError("the schema is undefined; leave it out if lines are to be trusted");
  }
  return schemaOrOptions !== undefined && "~standard" in schemaOrOptions
    ? checkedJson(schemaOrOptions, options ?? {})
    : trustedJson(schemaOrOptions ?? {});
}

function checkedJson(schema: StandardSchemaV1, options: JsonOptions): JsonCodec<object> {
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
    // A schema may take and give other values than objects; those have no fields.
    if (!isObject(value) || !isObject(event)) return { kind: "event", event: event as object };
    const refused = rule.refused(value);
    if (refused !== undefined) return malformed(unknownField(refused));
    return { kind: "event", event: rule.handOn(event, value) };
  }

  return withPick(lineReader(resolved, judge), resolved.maxEventBytes, shape);
}

/** What becomes of unknown fields in the end: what the schema refuses no option brings back. */
function withOption(unknown: ObjectShape["unknown"], option: UnknownFields): ObjectShape["unknown"] {
  return option === "schema" || unknown === "refuse" ? unknown : option;
}

function trustedJson(options: TrustedJsonOptions): JsonCodec<object> {
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
): JsonCodec<object> {
  return {
    decode,
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
