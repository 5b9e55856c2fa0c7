/** One line as received: text that is known to be valid UTF-8, or bytes that may not be. */
export type RawLine = string | Uint8Array;

/**
 * Why a line is not an event; the README has the cause and the remedy of each.
 *
 * - `too-large`: more bytes than allowed; the content was not read
 * - `invalid-utf8`: the bytes are not UTF-8
 * - `invalid-json`: the text is not JSON
 * - `duplicate-name`: an object in it has two members with the same name
 * - `wrong-shape`: JSON, but the schema refuses it; `path` names the field
 * - `schema-threw`: the schema threw on the value
 */
export type DecodeFailureCode =
  | "too-large"
  | "invalid-utf8"
  | "invalid-json"
  | "duplicate-name"
  | "wrong-shape"
  | "schema-threw";

/** A failure as data: branch on `code`, show `message`. */
export interface DecodeFailure {
  readonly code: DecodeFailureCode;
  readonly message: string;
  /**
   * With `wrong-shape` and `duplicate-name` only: the field that is wrong, its names joined by dots if it is nested,
   * or `""` if the whole value is wrong (a number, a list, null).
   */
  readonly path?: string;
}

/** The result for one line. `blank` is a line of nothing but JSON white space: no event and no failure. */
export type DecodeResult<T> =
  | { readonly kind: "event"; readonly event: T }
  | { readonly kind: "blank" }
  | { readonly kind: "malformed"; readonly reason: DecodeFailure };

export function malformed(reason: DecodeFailure): DecodeResult<never> {
  return { kind: "malformed", reason };
}

/** Turns lines into events. Its functions need no `this`, so they can be passed about. */
export interface LineDecoder<T> {
  /**
   * Reads each line by itself: earlier lines do not matter. No line makes it throw.
   *
   * @throws {@link AsyncSchemaError} if the schema is asynchronous, which is a mistake in the program.
   */
  readonly decode: (raw: RawLine) => DecodeResult<T>;
  /** `false`: no event keeps a part of its line, which then may be cut out of a larger text. `@default true` */
  readonly keepsText?: boolean;
}

/** Turns lines into events and back. */
export interface Codec<T> extends LineDecoder<T> {
  /** One line without its line end: pure JSON, free of `\n`, always valid UTF-8. */
  readonly encode: (event: T) => string;
}

/** A codec that {@link json} makes. */
export interface EventCodec<T> extends Codec<T> {
  /**
   * A decoder for flows that read only some fields, at a fraction of the cost.
   *
   * It accepts and refuses the same lines as the codec, with the same reasons: the fields left out are checked as well.
   * An event has only the fields named here; a field that the codec's event lacks is absent.
   *
   * @throws {@link InvalidOptionError} if the schema is known to have no such field.
   */
  readonly pick: <Field extends keyof T & string>(...fields: readonly Field[]) => LineDecoder<Pick<T, Field>>;
}
