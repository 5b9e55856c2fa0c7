import type { DecodeFailure, RawLine } from "@millrace/dataflow";

/** The version that is written; a reader refuses every other. */
export const FRAME_VERSION = 1;

/** How a frame starts. No JSON text starts so, nor does a blank line: a message without it is bare. */
export const FRAME_MARKER = "#millrace/";

/** The bounds of a message, a frame or bare: what is larger goes to the dead letter as it is. */
export const MESSAGE_LIMITS = Object.freeze({
  /** Bytes, the header included. */
  maxBytes: 1_048_576,
  /** Lines, blank ones included, the header not. */
  maxLines: 10_000,
});

/** What a frame says of itself. */
export interface FrameHeader {
  /** Who sent it: 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
  readonly producer: string;
  /** The number of the frame's first event in the producer's sequence for this partition; in an empty frame, of its next event. */
  readonly first: number;
  /** How many lines the frame has. 0 is a heartbeat: nothing new, and so nothing missing before `first`. */
  readonly count: number;
  /** When the producer sent it, in milliseconds since 1970 by its own clock. */
  readonly publishedAtMs: number;
  /**
   * What else the producer says of itself, in a heartbeat only (`count` 0): at most 8, with keys of 1 to 32 of
   * `a-z 0-9 -` and values of 1 to 256 of `A-Z a-z 0-9 . _ : , ; / @ % + -`. Absent: nothing. A reader ignores keys
   * that it does not know; `end` is "1" in a producer's last message.
   */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Why a message is no frame; the README lists cause and remedy of each. */
export type FrameFailureCode =
  "too-large" | "too-many-events" | "unknown-version" | "bad-header" | "count-mismatch";

/** A failure as data: branch on `code`, show `message`. */
export interface FrameFailure extends DecodeFailure {
  readonly code: FrameFailureCode;
}

/** One message taken apart. A line is text where it is valid UTF-8, else bytes. */
export type Frame =
  | { readonly kind: "bare"; readonly lines: readonly RawLine[] }
  | ({ readonly kind: "frame"; readonly lines: readonly RawLine[] } & FrameHeader)
  | { readonly kind: "malformed"; readonly reason: FrameFailure };

/** Length of a line or message in UTF-8, which is what Redis and the socket carry. */
export function bytesOf(raw: string | Uint8Array): number {
  return typeof raw === "string" ? Buffer.byteLength(raw) : raw.length;
}
