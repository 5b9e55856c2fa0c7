/** One line as received: text that is known to be valid UTF-8, or bytes that may not be. */
export type RawLine = string | Uint8Array;

/**
 * Why a line is not an event; the README has the cause and the remedy of each.
 *
 * - `too-large`: more bytes than the codec allows; the content was not read
 * - `invalid-utf8`: the bytes are not UTF-8
 * - `invalid-json`: the text is not JSON
 * - `wrong-shape`: JSON, but not the expected object; `path` names the field
 */
export type DecodeFailureCode = "too-large" | "invalid-utf8" | "invalid-json" | "wrong-shape";

/** A failure as data: branch on `code`, show `message`. */
export interface DecodeFailure {
  readonly code: DecodeFailureCode;
  readonly message: string;
  /** With `wrong-shape` only: the field that is wrong, or `""` if the whole value is (a number, a list, null). */
  readonly path?: string;
}

/** The result for one line. `blank` is a line of nothing but JSON white space: no event and no failure. */
export type DecodeResult<T> =
  | { readonly kind: "event"; readonly event: T }
  | { readonly kind: "blank" }
  | { readonly kind: "malformed"; readonly reason: DecodeFailure };

/** Turns lines into events and back. Its functions need no `this`, so they can be passed about. */
export interface Codec<T> {
  /** Never throws, and reads each line by itself: earlier lines do not matter. */
  readonly decode: (raw: RawLine) => DecodeResult<T>;
  /** One line without its line end: pure JSON, free of `\n`, always valid UTF-8. */
  readonly encode: (event: T) => string;
}
