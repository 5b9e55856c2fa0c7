import type { DecodeResult, LineDecoder, RawLine } from "../codec.ts";
import type { ObjectShape } from "../describe/object-shape.ts";
import { InvalidOptionError } from "../errors.ts";
import { exceedsBytes } from "../raw-bytes.ts";
import { KnownLayouts } from "./known-layouts.ts";
import { TextPool } from "./text-pool.ts";

/** The codec of a projection. */
export interface Original<T> extends LineDecoder<T> {
  readonly maxEventBytes: number;
  /** What can be seen of its schema, with the codec's option for unknown fields. */
  readonly shape: ObjectShape | undefined;
}

/**
 * A decoder of some fields.
 *
 * A line that has the layout of earlier ones is not parsed. Any other line goes to the codec, and so do all lines if the
 * schema has more than its fields.
 */
export function projection<T, Field extends keyof T & string>(
  { decode: decodeWhole, maxEventBytes, shape }: Original<T>,
  fields: readonly Field[],
): LineDecoder<Pick<T, Field>> {
  const wanted = [...new Set(fields)];
  if (shape !== undefined) for (const field of wanted) requireField(field, shape);

  if (shape?.transparent !== true || wanted.some((name) => name in Object.prototype))
    return { decode: slowly, keepsText: false };
  const names = new Map(wanted.map((name) => [name, new TextPool()]));
  const layouts = new KnownLayouts({ names, fields: shape.fields });
  return { decode, keepsText: false };

  function decode(raw: RawLine): DecodeResult<Pick<T, Field>> {
    if (typeof raw !== "string" || exceedsBytes(raw, maxEventBytes)) return slowly(raw);
    const event = layouts.read(raw);
    if (event !== undefined) return { kind: "event", event: complete(event) };
    const result = slowly(raw);
    if (result.kind === "event") layouts.learn(raw);
    return result;
  }

  function slowly(raw: RawLine): DecodeResult<Pick<T, Field>> {
    const result = decodeWhole(raw);
    return result.kind === "event" ? { kind: "event", event: picked(result.event) } : result;
  }

  function picked(event: T): Pick<T, Field> {
    const members = wanted.filter((name) => isObject(event) && Object.hasOwn(event, name));
    return complete(Object.fromEntries(members.map((name) => [name, event[name]])));
  }

  /** Every wanted field has been written, with a value of its type; the compiler cannot see that. */
  function complete(event: object): Pick<T, Field> {
    return event as Pick<T, Field>;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function requireField(name: string, { fields, unknown }: ObjectShape): void {
  if (fields.has(name) || unknown === "keep") return;
  throw new InvalidOptionError(
    `the schema has no field "${name}"; give some of its own: ${[...fields.keys()].join(", ")}`,
  );
}
