import { requireLimit } from "./byte-limit.ts";
import type { RawLine } from "./codec.ts";

/** The version that is written; a reader refuses every other. */
export const FRAME_VERSION = 1;

/** How a frame starts. No JSON text starts so, nor does a blank line: a message without it is bare. */
export const FRAME_MARKER = "#millrace/";

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
   * that it does not know.
   */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Why a message is no frame; the README tells cause and remedy of each. */
export type FrameFailureCode =
  "too-large" | "too-many-events" | "unknown-version" | "bad-header" | "count-mismatch";

/** A failure as data: branch on `code`, show `message`. */
export interface FrameFailure {
  readonly code: FrameFailureCode;
  readonly message: string;
}

/**
 * One message taken apart. Lines are text where the whole message is valid UTF-8, else bytes: each line stands or falls by itself when a codec decodes it.
 */
export type Frame<Line extends RawLine = RawLine> =
  | { readonly kind: "bare"; readonly lines: readonly Line[] }
  | ({ readonly kind: "frame"; readonly lines: readonly Line[] } & FrameHeader)
  | { readonly kind: "malformed"; readonly reason: FrameFailure };

/** The bounds of a message, bare ones included. */
export interface FrameLimits {
  /**
   * Bytes of a message, header included.
   * @default 1048576
   */
  readonly maxFrameBytes?: number;
  /**
   * Lines of a message, blank ones included, header not.
   * @default 10000
   */
  readonly maxEvents?: number;
}

/** What `decodeFrame` accepts unless told otherwise. */
export const DEFAULT_FRAME_LIMITS: Readonly<Required<FrameLimits>> = Object.freeze({
  maxFrameBytes: 1_048_576,
  maxEvents: 10_000,
});

/** `limits` with their defaults filled in, checked. */
export function resolveFrameLimits(limits: FrameLimits | undefined): Required<FrameLimits> {
  if (limits === undefined) return DEFAULT_FRAME_LIMITS;
  const { maxFrameBytes = DEFAULT_FRAME_LIMITS.maxFrameBytes, maxEvents = DEFAULT_FRAME_LIMITS.maxEvents } =
    limits;
  requireLimit("maxFrameBytes", maxFrameBytes);
  requireLimit("maxEvents", maxEvents);
  return { maxFrameBytes, maxEvents };
}
