import type { DecodeFailure, RawLine } from "@millrace/dataflow";

/** What a frame says of itself. */
export interface FrameHeader {
  /** Who sent it. */
  readonly producer: string;
  /** Number of its first event in the producer's sequence for this partition; of an empty frame, of the next event. */
  readonly first: number;
  /** How many events it has; 0 is a heartbeat. */
  readonly count: number;
  /** When the producer sent it: ms since the epoch, by the producer's clock. */
  readonly publishedAtMs: number;
  /** What else the producer says of itself, in heartbeats only; `end` is "1" in its last message. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A message taken apart. */
export type DecodedMessage =
  | { readonly kind: "bare"; readonly lines: readonly RawLine[] }
  | ({ readonly kind: "frame"; readonly lines: readonly RawLine[] } & FrameHeader)
  | { readonly kind: "malformed"; readonly reason: DecodeFailure };

/** A frame to be written; the number of lines is its count. */
export interface FrameToEncode extends Omit<FrameHeader, "count"> {
  readonly lines: readonly RawLine[];
}

/**
 * How events are packed into messages with numbers. The two functions of `@millrace/event-schema` with these names
 * are one: `{ decodeFrame, encodeFrame }`.
 */
export interface FrameCodec {
  /** Takes a message apart. It must not throw, and must not keep the buffer: the memory is the socket's. */
  readonly decodeFrame: (message: Uint8Array) => DecodedMessage;
  /** Writes a frame. It may throw for a line that no frame can carry. */
  readonly encodeFrame: (frame: FrameToEncode) => string | Uint8Array;
}
