import { isUtf8 } from "node:buffer";
import type { RawLine } from "../contracts/decoder.ts";

const NEWLINE = 0x0a;
const REPLACEMENT_CHARACTER = "\uFFFD";

/** The text of `bytes`; `undefined`: they are not valid UTF-8. A byte order mark stays in the text. */
export function textOf(bytes: Buffer): string | undefined {
  const text = bytes.toString();
  // What is not valid shows in the text, so that few bytes need a second look.
  return text.includes(REPLACEMENT_CHARACTER) && !isUtf8(bytes) ? undefined : text;
}

/**
 * The lines of a text, or of bytes that are no text, without their line feeds; after a final line feed there is an empty
 * one. Of bytes each line is text where it is valid UTF-8, else bytes of its own: it does not spoil its neighbours.
 *
 * @param most how many lines are returned at most
 */
export function splitLines(raw: string | Buffer, most?: number): RawLine[] {
  if (typeof raw !== "string") return splitBytes(raw, most).map(lineOf);
  // `split` takes five times as long to find that there is only one.
  return raw.includes("\n") ? raw.split("\n", most) : [raw];
}

/** The lines of bytes, as parts of their memory. */
export function splitBytes(bytes: Buffer, most = Number.POSITIVE_INFINITY): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start <= bytes.length && lines.length < most;) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** A line as text where it is valid UTF-8, else as bytes of its own. */
export function lineOf(bytes: Buffer): RawLine {
  return textOf(bytes) ?? new Uint8Array(bytes);
}
