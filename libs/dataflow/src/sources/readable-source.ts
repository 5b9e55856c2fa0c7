import type { Readable } from "node:stream";
import type { Json } from "@millrace/windowing";
import type { RawLine } from "../contracts/decoder.ts";
import type { PartContext, Partitioning, Source, SourceBatch, SourcePartition } from "../contracts/source.ts";
import { SourceError, messageOf } from "../errors.ts";
import { DEFAULT_LINE_OPTIONS } from "./jsonl-file-source.ts";
import type { LineOptions } from "./jsonl-file-source.ts";
import { LineSplitter } from "./line-splitter.ts";
import { rejectOversized } from "./reject-oversized.ts";

/** The lines of a stream that can be read once, such as standard input. It cannot resume. */
export class ReadableSource implements Source<RawLine> {
  readonly partitioning: Partitioning = { kind: "single" };
  readonly #readable: Readable;
  readonly #name: string;
  readonly #maxLineBytes: number;

  constructor(
    readable: Readable,
    name: string,
    { maxLineBytes = DEFAULT_LINE_OPTIONS.maxLineBytes }: LineOptions = {},
  ) {
    this.#readable = readable;
    this.#name = name;
    this.#maxLineBytes = maxLineBytes;
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve([this.#name]);
  }

  buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SourcePartition<RawLine>> {
    return Promise.resolve(new ReadablePartition(this.#readable, this.#name, this.#maxLineBytes, context));
  }
}

/** Standard input. */
export class StdinSource extends ReadableSource {
  constructor(options?: LineOptions) {
    super(process.stdin, "stdin", options);
  }
}

class ReadablePartition implements SourcePartition<RawLine> {
  readonly #readable: Readable;
  readonly #name: string;
  readonly #chunks: AsyncIterator<unknown>;
  readonly #splitter: LineSplitter;
  readonly #context: PartContext;
  #over = false;
  #stopped = false;

  constructor(readable: Readable, name: string, maxLineBytes: number, context: PartContext) {
    this.#readable = readable;
    this.#name = name;
    this.#chunks = readable[Symbol.asyncIterator]();
    this.#splitter = new LineSplitter(maxLineBytes);
    this.#context = context;
  }

  async nextBatch(): Promise<SourceBatch<RawLine>> {
    while (!this.#over) {
      const chunk = await this.#read();
      // Stopped in the middle of a line: half a line is no event.
      if (this.#stopped) return { kind: "end" };
      const cut = chunk === undefined ? this.#splitter.end() : this.#splitter.push(chunk);
      this.#over = chunk === undefined;
      rejectOversized(cut.oversized, this.#context);
      if (cut.lines.length > 0 || cut.oversized.length > 0) return { kind: "batch", events: cut.lines };
    }
    return { kind: "end" };
  }

  snapshot(): Json {
    return null;
  }

  /** Ends the reading where it is: there is nobody to give the rest to. */
  stop(): void {
    this.#stopped = true;
    this.#over = true;
    this.#readable.destroy();
  }

  close(): Promise<void> {
    this.#readable.destroy();
    return Promise.resolve();
  }

  async #read(): Promise<Buffer | undefined> {
    try {
      const next = await this.#chunks.next();
      if (next.done === true || this.#over) return undefined;
      return Buffer.isBuffer(next.value) ? next.value : Buffer.from(String(next.value));
    } catch (error) {
      // Destroying the stream ends an iteration that waits with an error of its own.
      if (this.#over) return undefined;
      throw new SourceError(
        `step "${this.#context.step}": reading ${this.#name} failed: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
}
