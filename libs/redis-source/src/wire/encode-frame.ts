import type { RawLine } from "@millrace/dataflow";
import { FrameEncodeError } from "../errors.ts";
import { bytesOf } from "./frame.ts";
import type { FrameHeader } from "./frame.ts";
import { faultOf, formatFrameHeader } from "./frame-header.ts";

/** A frame to be written: its header without the count, which is the number of lines. */
export interface FrameToEncode<Line extends RawLine = RawLine> extends Omit<FrameHeader, "count"> {
  /** In the order of their numbers, each unchanged, without its `\n`; none for a heartbeat. */
  readonly lines: readonly Line[];
}

const LINE_FEED = 0x0a;

/**
 * Writes a frame: text if all lines are text, else bytes. Lines are not read, so a malformed line is written like a valid
 * one. A reader refuses what exceeds {@link MESSAGE_LIMITS}; the writer does not.
 *
 * @throws {@link FrameEncodeError} if a line holds a line feed or a header field is out of range.
 */
export function encodeFrame(frame: FrameToEncode<string>): string;
export function encodeFrame(frame: FrameToEncode): string | Buffer;
export function encodeFrame(frame: FrameToEncode): string | Buffer {
  const { producer, first, publishedAtMs, lines, attributes } = frame;
  const plain = { producer, first, count: lines.length, publishedAtMs };
  const header = attributes === undefined ? plain : { ...plain, attributes };
  const fault = faultOf(header);
  if (fault !== undefined) throw new FrameEncodeError(fault);
  const start = formatFrameHeader(header);
  const payload = isText(lines) ? [start, ...lines].join("\n") : joinBytes(start, lines);
  // One scan of all of it costs less than one of each line.
  if (lineFeedsIn(payload) !== lines.length) requireLines(lines);
  return payload;
}

/** @throws FrameEncodeError if a line holds a line feed, which no frame can carry */
export function requireLines(lines: readonly RawLine[]): void {
  const index = lines.findIndex((line) =>
    typeof line === "string" ? line.includes("\n") : line.includes(LINE_FEED),
  );
  if (index >= 0) throw new FrameEncodeError(`line ${index} contains a line feed; split it into two lines`);
}

function lineFeedsIn(payload: string | Buffer): number {
  let count = 0;
  if (typeof payload === "string") {
    for (let at = payload.indexOf("\n"); at >= 0; at = payload.indexOf("\n", at + 1)) count += 1;
  } else {
    for (let at = payload.indexOf(LINE_FEED); at >= 0; at = payload.indexOf(LINE_FEED, at + 1)) count += 1;
  }
  return count;
}

function isText(lines: readonly RawLine[]): lines is readonly string[] {
  return lines.every((line) => typeof line === "string");
}

/** @param start ASCII */
function joinBytes(start: string, lines: readonly RawLine[]): Buffer {
  let size = start.length;
  for (const line of lines) size += 1 + bytesOf(line);
  const frame = Buffer.allocUnsafe(size);
  let end = frame.write(start, "latin1");
  for (const line of lines) {
    frame[end] = LINE_FEED;
    end += 1;
    if (typeof line === "string") end += frame.write(line, end);
    else {
      frame.set(line, end);
      end += line.length;
    }
  }
  return frame;
}
