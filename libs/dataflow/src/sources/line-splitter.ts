import type { RawLine } from "../contracts/decoder.ts";
import { lineOf, splitBytes, splitLines, textOf } from "./split-lines.ts";

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/** A line above the bound: its size without the line end, and its head. */
export interface OversizedLine {
  readonly bytes: number;
  readonly head: Uint8Array;
}

/** Lines of a stream of chunks. */
export interface Lines {
  readonly lines: readonly RawLine[];
  readonly oversized: readonly OversizedLine[];
}

/**
 * Divides chunks into lines without their line ends. Holds at most one line, and of a line above the bound only its
 * head. A chunk of valid UTF-8 is decoded as a whole; otherwise each line is checked by itself.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  /** The incomplete last line. */
  #rest: Buffer = EMPTY;
  /** The line is above the bound: bytes of it so far. */
  #dropping: OversizedLine | undefined;
  #consumed = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes up to and including the line end of the last line returned. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Whether the last line is incomplete. */
  get inLine(): boolean {
    return this.#rest.length > 0 || this.#dropping !== undefined;
  }

  push(chunk: Buffer): Lines {
    const oversized: OversizedLine[] = [];
    let body = chunk;
    if (this.#dropping !== undefined) {
      const end = chunk.indexOf(NEWLINE);
      this.#dropping = { ...this.#dropping, bytes: this.#dropping.bytes + (end < 0 ? chunk.length : end) };
      if (end < 0) return NOTHING;
      oversized.push(this.#dropped(this.#dropping, 1));
      body = chunk.subarray(end + 1);
    }
    const last = body.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#keep(body);
      return { lines: [], oversized };
    }
    const complete = body.subarray(0, last);
    const lines = this.#cut(
      this.#rest.length === 0 ? complete : Buffer.concat([this.#rest, complete]),
      oversized,
    );
    this.#consumed += this.#rest.length + complete.length + 1;
    this.#rest = EMPTY;
    this.#keep(body.subarray(last + 1));
    return { lines, oversized };
  }

  /** The last line, if the stream does not end with a line end. */
  end(): Lines {
    if (this.#dropping !== undefined) return { lines: [], oversized: [this.#dropped(this.#dropping, 0)] };
    if (this.#rest.length === 0) return NOTHING;
    const oversized: OversizedLine[] = [];
    const lines = this.#cut(this.#rest, oversized);
    this.#consumed += this.#rest.length;
    this.#rest = EMPTY;
    return { lines, oversized };
  }

  #keep(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (this.#rest.length <= this.#maxLineBytes) return;
    this.#dropping = oversizedLine(this.#rest);
    this.#rest = EMPTY;
  }

  #dropped(line: OversizedLine, lineEnd: number): OversizedLine {
    this.#consumed += line.bytes + lineEnd;
    this.#dropping = undefined;
    return line;
  }

  /** @param bytes whole lines, without the last one's line end */
  #cut(bytes: Buffer, oversized: OversizedLine[]): readonly RawLine[] {
    if (bytes.length <= this.#maxLineBytes) return splitLines(textOf(bytes) ?? bytes);
    const lines: RawLine[] = [];
    for (const line of splitBytes(bytes)) {
      if (line.length > this.#maxLineBytes) oversized.push(oversizedLine(line));
      else lines.push(lineOf(line));
    }
    return lines;
  }
}

const NOTHING: Lines = { lines: [], oversized: [] };

/** Bytes kept of a line above the bound, for messages. */
const HEAD_BYTES = 1_024;

function oversizedLine(line: Buffer): OversizedLine {
  return { bytes: line.length, head: Buffer.from(line.subarray(0, HEAD_BYTES)) };
}
