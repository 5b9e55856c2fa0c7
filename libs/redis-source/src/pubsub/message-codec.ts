import { isUtf8 } from "node:buffer";
import type { RawLine } from "@millrace/dataflow";

/** Turns what Redis carries into events: the hook for framed, packed or otherwise wrapped messages. */
export interface MessageCodec {
  /**
   * The lines of one message, in order. It must not throw, and must not keep the buffer or parts of it: the memory
   * is the socket's.
   */
  split(message: Buffer): RawLine | readonly RawLine[];
}

const LINE_FEED = 0x0a;

/**
 * A message is one line, or several separated by `\n`; a `\n` at the end closes the last one. Nothing else is
 * touched: an empty message is an empty line, a `\r` stays. A line that is not valid UTF-8 is given as bytes.
 */
export const LINE_CODEC: MessageCodec = {
  split(message) {
    // Decoding first and asking for U+FFFD after is twice as fast as validating the bytes of every message.
    const text = message.toString();
    if (text.includes("\uFFFD") && !isUtf8(message)) return splitBytes(message);
    if (!text.includes("\n")) return text;
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines;
  },
};

function splitBytes(message: Buffer): readonly RawLine[] {
  const lines: RawLine[] = [];
  let start = 0;
  while (start < message.length) {
    const feed = message.indexOf(LINE_FEED, start);
    const end = feed < 0 ? message.length : feed;
    const line = message.subarray(start, end);
    lines.push(isUtf8(line) ? line.toString() : new Uint8Array(line));
    start = end + 1;
  }
  return lines;
}
