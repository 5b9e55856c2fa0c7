import { splitLines, textOf } from "@millrace/dataflow";
import type { RawLine } from "@millrace/dataflow";
import { FRAME_MARKER, MESSAGE_LIMITS } from "./frame.ts";
import type { Frame, FrameFailureCode } from "./frame.ts";
import { readFrameHeader } from "./frame-header.ts";

const { maxBytes, maxLines } = MESSAGE_LIMITS;

/**
 * Splits a message into lines: a frame if it starts with {@link FRAME_MARKER}, else bare lines. It never throws, does not
 * read the lines, and keeps no reference to the message's memory.
 *
 * A frame holds exactly the lines it announces. A bare message holds at least one line; a final `\n` ends its last line
 * and does not start another.
 */
export function decodeFrame(message: Uint8Array): Frame {
  if (message.byteLength > maxBytes) {
    return malformed(
      "too-large",
      `the message has ${message.byteLength} bytes; at most ${maxBytes} are allowed`,
    );
  }
  const bytes = asBuffer(message);
  const text = textOf(bytes);
  if (text !== undefined) return decodeText(text);
  // Latin-1 has one character for each byte, so it can hold any bytes; a header, which is ASCII, is the same in it.
  const head = bytes.toString("latin1");
  return head.startsWith(FRAME_MARKER) ? decodeFramed(head, bytes) : decodeBare(bytes);
}

/** As {@link decodeFrame}, for a message that is text and not too large. */
export function decodeText(text: string): Frame {
  return text.startsWith(FRAME_MARKER) ? decodeFramed(text, text) : decodeBare(text);
}

/** @param head the whole message as text, at least the header exact */
function decodeFramed(head: string, message: string | Buffer): Frame {
  const header = readFrameHeader(head);
  if ("code" in header) return { kind: "malformed", reason: header };
  const { producer, first, count, publishedAtMs, linesAt, attributes } = header;
  if (count > maxLines) return tooManyEvents();
  const lines = linesAt === undefined ? [] : linesAfter(linesAt, message, count + 1);
  if (lines.length !== count) {
    const found = lines.length > count ? "more" : String(lines.length);
    return malformed("count-mismatch", `the header announces ${count} lines, the frame has ${found}`);
  }
  const frame = { kind: "frame" as const, producer, first, count, publishedAtMs, lines };
  return attributes === undefined ? frame : { ...frame, attributes };
}

function linesAfter(at: number, message: string | Buffer, most: number): RawLine[] {
  return splitLines(typeof message === "string" ? message.slice(at) : message.subarray(at), most);
}

function decodeBare(message: string | Buffer): Frame {
  // One line past the limit shows that there are too many; one more may be the empty rest after a final line feed.
  const lines = splitLines(message, maxLines + 2);
  if (lines.length > 1 && lines.at(-1)?.length === 0) lines.pop();
  return lines.length > maxLines ? tooManyEvents() : { kind: "bare", lines };
}

/** The same bytes, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tooManyEvents(): Frame {
  return malformed("too-many-events", `the message has more than ${maxLines} lines`);
}

function malformed(code: FrameFailureCode, message: string): Frame {
  return { kind: "malformed", reason: { code, message } };
}
