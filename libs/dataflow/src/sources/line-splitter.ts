import type { RawLine } from "../contracts/decoder.ts";
import { lineOf, splitBytes, splitLines, textOf } from "./split-lines.ts";

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/** A line longer than `maxLineBytes`: its size without the line break, and its first bytes. */
export interface OversizedLine {
  readonly bytes: number;
  readonly head: Uint8Array;
}

/** What a chunk completes. */
export interface Lines {
  readonly lines: readonly RawLine[];
  readonly oversized: readonly OversizedLine[];
}

/**
 * Divides chunks into lines, without their line breaks. It holds at most one incomplete line. Of a line that is too long it keeps only
 * the first bytes. For text, a chunk of valid UTF-8 is decoded as a whole; in any other chunk each line is checked by itself.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #asBytes: boolean;
  /** The incomplete line at the end of the last chunk. */
  #rest: Buffer = EMPTY;
  /** The incomplete line, if it is too long already, with its size so far. */
  #dropping: OversizedLine | undefined;
  #consumed = 0;

  /** @param as whether lines of valid UTF-8 become text */
  constructor({ maxLineBytes, as }: { readonly maxLineBytes: number; readonly as: "text" | "bytes" }) {
    this.#maxLineBytes = maxLineBytes;
    this.#asBytes = as === "bytes";
  }

  /** The offset after the last line returned, in bytes from the first chunk. The line break counts too. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Whether the last chunk ended within a line. */
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
    const lines: RawLine[] = [];
    let start = 0;
    if (this.#rest.length > 0) {
      // Only its own line is copied, not the chunk.
      start = body.indexOf(NEWLINE) + 1;
      lines.push(...this.#cut(Buffer.concat([this.#rest, body.subarray(0, start - 1)]), oversized));
    }
    const others = start > last ? [] : this.#cut(body.subarray(start, last), oversized);
    this.#consumed += this.#rest.length + last + 1;
    this.#rest = EMPTY;
    this.#keep(body.subarray(last + 1));
    return { lines: lines.length === 0 ? others : lines.concat(others), oversized };
  }

  /** The last line, if no line break follows it. */
  end(): Lines {
    if (this.#dropping !== undefined) return { lines: [], oversized: [this.#dropped(this.#dropping, 0)] };
    if (this.#rest.length === 0) return NOTHING;
    const oversized: OversizedLine[] = [];
    const lines = this.#cut(this.#rest, oversized);
    this.#consumed += this.#rest.length;
    this.#rest = EMPTY;
    return { lines, oversized };
  }

  /** A copy, since the memory of a chunk may be used again. */
  #keep(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (this.#rest.length <= this.#maxLineBytes) return;
    this.#dropping = oversizedLine(this.#rest);
    this.#rest = EMPTY;
  }

  #dropped(line: OversizedLine, lineEnd: number): OversizedLine {
    this.#consumed += line.bytes + lineEnd;
    this.#dropping = undefined;
    return line;
  }

  /** @param bytes complete lines, without the line break of the last one */
  #cut(bytes: Buffer, oversized: OversizedLine[]): readonly RawLine[] {
    if (bytes.length <= this.#maxLineBytes) {
      return this.#asBytes ? splitBytes(bytes) : splitLines(textOf(bytes) ?? bytes);
    }
    const lines: RawLine[] = [];
    for (const line of splitBytes(bytes)) {
      if (line.length > this.#maxLineBytes) oversized.push(oversizedLine(line));
      else lines.push(this.#asBytes ? line : lineOf(line));
    }
    return lines;
  }
}

const NOTHING: Lines = { lines: [], oversized: [] };

/** How many bytes of a line that is too long are kept, for messages. */
const HEAD_BYTES = 1_024;

function oversizedLine(line: Buffer): OversizedLine {
  return { bytes: line.length, head: Buffer.from(line.subarray(0, HEAD_BYTES)) };
}
