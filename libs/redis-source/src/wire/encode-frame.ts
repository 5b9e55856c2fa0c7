import type { RawLine } from "@millrace/dataflow";
import { FrameEncodeError } from "../errors.ts";
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
  if (!isText(lines)) {
    requireLines(lines);
    return joinBytes([start, ...lines]);
  }
  const text = [start, ...lines].join("\n");
  // One scan of the whole text costs less than one of each line.
  if (lineFeedsIn(text) !== lines.length) requireLines(lines);
  return text;
}

/** @throws FrameEncodeError if a line holds a line feed, which no frame can carry */
export function requireLines(lines: readonly RawLine[]): void {
  const index = lines.findIndex((line) =>
    typeof line === "string" ? line.includes("\n") : line.includes(LINE_FEED),
  );
  if (index >= 0) throw new FrameEncodeError(`line ${index} contains a line feed; split it into two lines`);
}

function lineFeedsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function isText(lines: readonly RawLine[]): lines is readonly string[] {
  return lines.every((line) => typeof line === "string");
}

function joinBytes(lines: readonly RawLine[]): Buffer {
  const lineFeed = Buffer.of(LINE_FEED);
  return Buffer.concat(
    lines.flatMap((line, index) => {
      const bytes = typeof line === "string" ? Buffer.from(line) : line;
      return index === 0 ? [bytes] : [lineFeed, bytes];
    }),
  );
}
