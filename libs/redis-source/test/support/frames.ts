import { decodeFrame, encodeFrame } from "@millrace/redis-source";
import type { FrameHeader } from "@millrace/redis-source";

/** The frame of `lines`, by producer `p` unless another is given. */
export function frameOf(
  first: number,
  lines: readonly string[],
  header: Partial<Pick<FrameHeader, "producer" | "publishedAtMs" | "attributes">> = {},
): string {
  return encodeFrame({ producer: "p", publishedAtMs: 1_000, ...header, first, lines });
}

/** The header of a frame. */
export function headerOf(message: Uint8Array): FrameHeader {
  const decoded = decodeFrame(message);
  if (decoded.kind !== "frame") throw new Error(`no frame: ${Buffer.from(message).toString()}`);
  const { kind: _kind, lines: _lines, ...header } = decoded;
  return header;
}
