/** Why a payload is not an event. `path` leads to the offending field. */
export interface DecodeFailure {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
}

/** What a payload turned out to be. */
export type Decoded<T> =
  | { readonly kind: "event"; readonly event: T }
  | { readonly kind: "blank" }
  | { readonly kind: "malformed"; readonly reason: DecodeFailure };

/** Turns payloads into events. It never throws: a bad payload is data. */
export interface Decoder<Raw, T> {
  /** Reads one payload by itself. */
  decode(raw: Raw): Decoded<T>;
}

/** One line as it arrived: text known to be valid UTF-8, or bytes that may not be. */
export type RawLine = string | Uint8Array;

/** A payload that could not become an event, as the dead letter gets it. */
export interface DeadLetter {
  /** Step that refused it. */
  readonly step: string;
  readonly part: string;
  readonly reason: DecodeFailure;
  /** The payload as text, all of it: bytes as UTF-8, anything else but strings as JSON. */
  readonly payload: string;
}
