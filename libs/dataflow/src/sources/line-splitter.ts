import { isUtf8 } from "node:buffer";
import type { RawLine } from "../contracts/decoder.ts";

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/** Lines cut out of a stream of chunks, and where the last complete one ends. */
export interface Lines {
  readonly lines: readonly RawLine[];
  /** Lines that were longer than the bound, with what was kept of them. */
  readonly oversized: readonly { readonly bytes: number; readonly head: Uint8Array }[];
}

/**
 * Cuts chunks into lines without their line ends. Holds at most one line, and of a line beyond the bound only its
 * head. A chunk of valid UTF-8 is decoded in one go; only otherwise is each line looked at by itself.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #rest: Buffer = EMPTY;
  /** Bytes of the line that is being dropped; 0 while none is. */
  #dropping = 0;
  #consumed = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes up to and including the line end of the last line given out. */
  get consumed(): number {
    return this.#consumed;
  }

  push(chunk: Buffer): Lines {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#keep(chunk);
      return { lines: [], oversized: [] };
    }
    const complete =
      this.#rest.length === 0
        ? chunk.subarray(0, last)
        : Buffer.concat([this.#rest, chunk.subarray(0, last)]);
    this.#rest = EMPTY;
    const cut = this.#cut(complete);
    this.#keep(chunk.subarray(last + 1));
    return cut;
  }

  /** The last line, where the stream does not end with a line end. */
  end(): Lines {
    if (this.#rest.length === 0 && this.#dropping === 0) return { lines: [], oversized: [] };
    const rest = this.#rest;
    this.#rest = EMPTY;
    const cut = this.#cut(rest);
    // There was no line end to count.
    this.#consumed -= 1;
    return cut;
  }

  #keep(bytes: Buffer): void {
    if (this.#dropping > 0) {
      this.#dropping += bytes.length;
    } else if (this.#rest.length + bytes.length > this.#maxLineBytes) {
      const whole = Buffer.concat([this.#rest, bytes]);
      this.#dropping = whole.length;
      this.#rest = Buffer.from(whole.subarray(0, HEAD_BYTES));
    } else {
      this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    }
  }

  /** @param bytes complete lines, without the last line's end */
  #cut(bytes: Buffer): Lines {
    const oversized: { bytes: number; head: Uint8Array }[] = [];
    let body = bytes;
    if (this.#dropping > 0) {
      // What is in `bytes` begins with the head that was kept; the dropped line ends at the first line end behind it.
      const end = bytes.indexOf(NEWLINE, Math.min(HEAD_BYTES, bytes.length));
      const tail = (end < 0 ? bytes.length : end) - HEAD_BYTES;
      const size = this.#dropping + tail;
      oversized.push({ bytes: size, head: bytes.subarray(0, HEAD_BYTES) });
      this.#consumed += size + 1;
      this.#dropping = 0;
      if (end < 0) return { lines: [], oversized };
      body = bytes.subarray(end + 1);
    }
    this.#consumed += body.length + 1;
    const lines: RawLine[] = [];
    if (isUtf8(body) && body.length <= this.#maxLineBytes) {
      return { lines: body.toString("utf8").split("\n"), oversized };
    }
    for (let start = 0; start <= body.length;) {
      const found = body.indexOf(NEWLINE, start);
      const end = found < 0 ? body.length : found;
      const line = body.subarray(start, end);
      if (line.length > this.#maxLineBytes)
        oversized.push({ bytes: line.length, head: line.subarray(0, HEAD_BYTES) });
      else lines.push(isUtf8(line) ? line.toString("utf8") : line);
      start = end + 1;
    }
    return { lines, oversized };
  }
}

/** Bytes kept of a line beyond the bound, to show. */
const HEAD_BYTES = 1_024;
