/** Why a payload is not an event. `path` names the invalid field. */
export interface DecodeFailure {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
}

/** The outcome of decoding one payload. */
export type Decoded<T> =
  | { readonly kind: "event"; readonly event: T }
  | { readonly kind: "blank" }
  | { readonly kind: "malformed"; readonly reason: DecodeFailure };

/** Turns payloads into events. It never throws: a bad payload is data. */
export interface Decoder<Raw, T> {
  /** Decodes one payload. */
  decode(raw: Raw): Decoded<T>;
  /**
   * `false`: no event keeps a part of its line, as nothing does that comes from `JSON.parse`. Then a source may cut lines out
   * of a larger text, which saves a copy of each. A part that was kept would keep all of that text in memory. `@default true`
   */
  readonly keepsText?: boolean;
}

/** One line as it arrived: text that is valid UTF-8, or bytes that may not be. */
export type RawLine = string | Uint8Array;

/** A payload that is not an event, as the dead letter receives it. */
export interface DeadLetter {
  /** Id of the step that refused it. */
  readonly step: string;
  readonly part: string;
  readonly reason: DecodeFailure;
  /** The whole payload as text: bytes are read as UTF-8, other values are written as JSON. */
  readonly payload: string;
}
