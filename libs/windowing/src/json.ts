/** What a snapshot is made of: anything `JSON.stringify` gives back unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [field: string]: Json };

/** Converts a value to JSON and back, if the engine must store it and it is not JSON itself. */
export interface JsonCodec<T> {
  /** The value as JSON. */
  snapshot(value: T): Json;
  /** The inverse of `snapshot`. */
  restore(state: Json): T;
}

/**
 * `T` if it is JSON, else a type that `T` does not match: `T extends JsonLike<T>` holds for interfaces too, which lack
 * the index signature of {@link Json}, but not for a `Date`, a `Map`, a function or `unknown`.
 */
export type JsonLike<T> = T extends Json
  ? T
  : T extends (...args: never) => unknown
    ? never
    : T extends object
      ? { readonly [Field in keyof T]: JsonField<T[Field]> }
      : never;

/** The same if `T` may be undefined: a field that the JSON leaves out, or a value that an event does not have. */
export type JsonField<T> = T extends undefined ? undefined : JsonLike<T>;

/** The codec of values that are not JSON. */
export interface CodecOption<T> {
  readonly codec: JsonCodec<T>;
}

/**
 * The length of a value's JSON in bytes (UTF-8); NaN if it is not JSON: a number that is not finite, a Date, a Map, an
 * instance of a class, undefined.
 */
export function jsonBytes(value: unknown): number {
  if (typeof value === "string") return textBytes(value);
  if (typeof value === "number") return numberBytes(value);
  if (typeof value === "boolean") return value ? 4 : 5;
  if (value === null) return 4;
  if (typeof value !== "object") return Number.NaN;
  // Two brackets, and one comma less than elements.
  let bytes = 1;
  if (Array.isArray(value)) {
    for (const item of value) bytes += jsonBytes(item) + 1;
    return Math.max(bytes, 2);
  }
  if (!isPlain(value)) return Number.NaN;
  for (const name in value) {
    const item = value[name];
    if (item !== undefined) bytes += textBytes(name) + jsonBytes(item) + 2;
  }
  return Math.max(bytes, 2);
}

function numberBytes(value: number): number {
  if (!Number.isFinite(value)) return Number.NaN;
  if (!Number.isSafeInteger(value)) return String(value).length;
  let digits = 1;
  for (let limit = 10; Math.abs(value) >= limit; limit *= 10) digits++;
  return value < 0 ? digits + 1 : digits;
}

/** Control characters that JSON writes as \b, \t, \n, \f and \r. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set([8, 9, 10, 12, 13]);

/** The length of a text as JSON, with quotes. */
function textBytes(text: string): number {
  let bytes = text.length + 2;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code < 0x80) {
      if (code === 0x22 || code === 0x5c) bytes++;
    } else if (code < 0x20) bytes += SHORT_ESCAPES.has(code) ? 1 : 5;
    else if (code < 0x800) bytes++;
    else if (code < 0xd800 || code > 0xdfff) bytes += 2;
    else if (isPair(text, i)) {
      bytes += 2;
      i++;
      // A lone surrogate is written as \udxxx.
    } else bytes += 5;
  }
  return bytes;
}

function isPair(text: string, at: number): boolean {
  return text.charCodeAt(at) < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
}

/** Checks the prototype's own prototype: this accepts objects of every realm, and those without a prototype. */
function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
