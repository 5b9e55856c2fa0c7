import { Buffer } from "node:buffer";
import { byteLength, exceedsBytes } from "./byte-limit.ts";
import {
  FRAME_MARKER,
  resolveFrameLimits,
  type Frame,
  type FrameFailureCode,
  type FrameLimits,
} from "./frame.ts";
import { readFrameHeader } from "./frame-header.ts";
import { decodeUtf8, latin1Of } from "./utf8.ts";

/**
 * Takes a message apart: a frame if it starts with {@link FRAME_MARKER}, else bare lines. No message makes it throw,
 * and it looks into no line.
 *
 * A frame holds exactly the lines it announces. A bare message holds at least one line; a final `\n` ends its last
 * line and starts no other.
 *
 * @param message - text that is known to be valid UTF-8, or bytes that may not be
 * @throws {@link InvalidOptionError} if a limit has no meaning.
 */
export function decodeFrame(message: string | Uint8Array, limits?: FrameLimits): Frame {
  const { maxFrameBytes, maxEvents } = resolveFrameLimits(limits);
  if (exceedsBytes(message, maxFrameBytes)) {
    const bytes = byteLength(message);
    return malformed("too-large", `the message has ${bytes} bytes; at most ${maxFrameBytes} are allowed`);
  }
  if (typeof message === "string") return decodeText(message, maxEvents);
  const text = decodeUtf8(message);
  return text === undefined ? decodeBytes(message, maxEvents) : decodeText(text, maxEvents);
}

function decodeText(text: string, maxEvents: number): Frame<string> {
  return text.startsWith(FRAME_MARKER) ? decodeFramed(text, maxEvents) : decodeBare(text, maxEvents);
}

/** Latin-1 is one character a byte, whatever the bytes: lines come out where they are, and go back unchanged. */
function decodeBytes(message: Uint8Array, maxEvents: number): Frame<Buffer> {
  const frame = decodeText(latin1Of(message), maxEvents);
  if (frame.kind === "malformed") return frame;
  return { ...frame, lines: frame.lines.map((line) => Buffer.from(line, "latin1")) };
}

function decodeFramed(text: string, maxEvents: number): Frame<string> {
  const header = readFrameHeader(text);
  if ("code" in header) return { kind: "malformed", reason: header };
  const { producer, first, count, publishedAtMs, linesAt, attributes } = header;
  if (count > maxEvents) return tooManyEvents(maxEvents);
  const lines = linesAt === undefined ? [] : splitLines(text.slice(linesAt), count + 1);
  if (lines.length !== count) {
    const found = lines.length > count ? "more" : String(lines.length);
    return malformed("count-mismatch", `the header announces ${count} lines, the frame has ${found}`);
  }
  const frame = { kind: "frame" as const, producer, first, count, publishedAtMs, lines };
  return attributes === undefined ? frame : { ...frame, attributes };
}

function decodeBare(text: string, maxEvents: number): Frame<string> {
  // One line past the bound tells that there are too many; one more may be the nothing after a final line feed.
  const lines = splitLines(text, maxEvents + 2);
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines.length > maxEvents ? tooManyEvents(maxEvents) : { kind: "bare", lines };
}

/** At most so many lines. That there is only one is the plain case, which split makes five times as expensive. */
function splitLines(text: string, limit: number): string[] {
  return text.includes("\n") ? text.split("\n", limit) : [text];
}

function tooManyEvents(maxEvents: number): Frame<never> {
  return malformed("too-many-events", `the message has more than ${maxEvents} lines`);
}

function malformed(code: FrameFailureCode, message: string): Frame<never> {
  return { kind: "malformed", reason: { code, message } };
}
