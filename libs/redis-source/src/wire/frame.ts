import type { DecodeFailure, RawLine } from "@millrace/dataflow";

/** The version that is written; a reader refuses every other one. */
export const FRAME_VERSION = 1;

/** The start of a frame. Neither JSON text nor a blank line starts like this; a message without it is bare. */
export const FRAME_MARKER = "#millrace/";

/** The limits of a message, frame or bare: a larger one goes to the dead letter unchanged. */
export const MESSAGE_LIMITS = Object.freeze({
  /** Bytes, the header included. */
  maxBytes: 1_048_576,
  /** Lines, blank ones included, the header not. */
  maxLines: 10_000,
});

/** The header of a frame. */
export interface FrameHeader {
  /** The name of the producer: 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
  readonly producer: string;
  /** The number of the frame's first event in the producer's sequence for this partition; in an empty frame, of its next event. */
  readonly first: number;
  /** How many lines the frame has. 0 is a heartbeat: nothing new, and so nothing missing before `first`. */
  readonly count: number;
  /** When the producer sent the frame, in milliseconds since 1970 by its own clock. */
  readonly publishedAtMs: number;
  /**
   * More about the producer, only in a heartbeat (`count` 0): at most 8, with keys of 1 to 32 of `a-z 0-9 -` and values of
   * 1 to 256 of `A-Z a-z 0-9 . _ : , ; / @ % + -`. Absent: none. A reader ignores keys that it does not know; `end` is "1"
   * in a producer's last message.
   */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Why a message is malformed; the README lists cause and remedy of each. */
export type FrameFailureCode =
  | "too-large"
  | "too-many-events"
  | "unknown-version"
  | "bad-header"
  | "count-mismatch";

/** A failure as data: branch on `code`, show `message`. */
export interface FrameFailure extends DecodeFailure {
  readonly code: FrameFailureCode;
}

/** One message, split into lines. A line is text if it is valid UTF-8, else bytes. */
export type Frame =
  | { readonly kind: "bare"; readonly lines: readonly RawLine[] }
  | ({ readonly kind: "frame"; readonly lines: readonly RawLine[] } & FrameHeader)
  | { readonly kind: "malformed"; readonly reason: FrameFailure };

/** Length of a line or message in bytes of UTF-8, as Redis and the socket carry it. */
export function bytesOf(raw: string | Uint8Array): number {
  return typeof raw === "string" ? Buffer.byteLength(raw) : raw.length;
}
