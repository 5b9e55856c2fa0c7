import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Json } from "@millrace/windowing";
import type { RawLine } from "../contracts/decoder.ts";
import type { PartContext, Partitioning, Source, SourceBatch, SourcePartition } from "../contracts/source.ts";
import { SourceError, messageOf } from "../errors.ts";
import { offsetOf } from "./offset-of.ts";
import { rejectOversized } from "./reject-oversized.ts";
import { LineSplitter } from "./line-splitter.ts";

/** Bounds of reading lines. */
export interface LineOptions {
  /** A longer line is refused and only its head is kept, bytes. @default 1048576 */
  readonly maxLineBytes?: number;
  /** Bytes read at a time: the lines in them are one batch. @default 262144 */
  readonly chunkBytes?: number;
}

export const DEFAULT_LINE_OPTIONS = {
  maxLineBytes: 1_048_576,
  chunkBytes: 262_144,
} as const satisfies LineOptions;

/**
 * The lines of a file, as they are. Its position is the offset in bytes after the last line read, so a run over a
 * recorded file resumes exactly. The one partition is named after the path.
 */
export class JsonlFileSource implements Source<RawLine> {
  readonly partitioning: Partitioning = { kind: "single" };
  readonly #path: string;
  readonly #options: Required<LineOptions>;

  constructor(path: string, options: LineOptions = {}) {
    this.#path = path;
    this.#options = { ...DEFAULT_LINE_OPTIONS, ...options };
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve([this.#path]);
  }

  /** @throws StateError */
  checkPosition(part: string, position: Json): void {
    offsetOf(`the file ${part}`, position);
  }

  /** @throws SourceError for a file that cannot be opened, StateError for a position of another source */
  async buildPart(
    part: string,
    resume: Json | undefined,
    context: PartContext,
  ): Promise<SourcePartition<RawLine>> {
    const offset = offsetOf(`the file ${part}`, resume ?? 0);
    try {
      return new FilePartition(await open(part, "r"), offset, this.#options, context);
    } catch (error) {
      throw new SourceError(`step "${context.step}": cannot read ${part}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

class FilePartition implements SourcePartition<RawLine> {
  readonly #file: FileHandle;
  readonly #start: number;
  readonly #splitter: LineSplitter;
  readonly #chunkBytes: number;
  readonly #context: PartContext;
  #offset: number;
  #over = false;

  constructor(file: FileHandle, offset: number, options: Required<LineOptions>, context: PartContext) {
    this.#file = file;
    this.#start = offset;
    this.#offset = offset;
    this.#splitter = new LineSplitter(options.maxLineBytes);
    this.#chunkBytes = options.chunkBytes;
    this.#context = context;
  }

  async nextBatch(): Promise<SourceBatch<RawLine>> {
    while (!this.#over) {
      // A fresh buffer each time: lines that are not valid UTF-8 stay views of it.
      const chunk = Buffer.allocUnsafe(this.#chunkBytes);
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#offset);
      this.#offset += bytesRead;
      this.#over = bytesRead === 0;
      const cut = this.#over ? this.#splitter.end() : this.#splitter.push(chunk.subarray(0, bytesRead));
      rejectOversized(cut.oversized, this.#context);
      if (cut.lines.length > 0 || cut.oversized.length > 0) return { kind: "batch", events: cut.lines };
    }
    return { kind: "end" };
  }

  /** Until its end there is always more in a file. */
  drained(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  snapshot(): Json {
    return this.#start + this.#splitter.consumed;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
