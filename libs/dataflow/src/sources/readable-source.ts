import { ReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { Json } from "@millrace/windowing";
import type { RawLine } from "../contracts/decoder.ts";
import type {
  Drained,
  PartContext,
  Partitioning,
  Source,
  SourceBatch,
  SourcePartition,
} from "../contracts/source.ts";
import { SourceError, messageOf } from "../errors.ts";
import { withDefaults } from "../with-defaults.ts";
import { DEFAULT_LINE_OPTIONS, rejectOversized } from "./line-bounds.ts";
import type { LineOptions } from "./line-bounds.ts";
import { LineSplitter } from "./line-splitter.ts";
import { LocalReader } from "./local-reader.ts";
import { TextStream } from "./file-text.ts";

/**
 * The lines of a stream that can be read once, such as standard input. It cannot resume. A UTF-8 byte-order mark is left
 * out, and gzip (or zstd, from Node 22.15) is decompressed.
 *
 * While a pipe, a socket or a terminal waits, it counts as drained, and windows close by time. A file that is passed as
 * a stream has more to read until its end.
 */
export class ReadableSource implements Source<RawLine> {
  readonly partitioning: Partitioning = { kind: "single" };
  readonly keepsEvents = false;
  readonly #readable: Readable;
  readonly #name: string;
  readonly #options: Required<LineOptions>;

  constructor(readable: Readable, name: string, options: LineOptions = {}) {
    this.#readable = readable;
    this.#name = name;
    this.#options = withDefaults(DEFAULT_LINE_OPTIONS, options);
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve([this.#name]);
  }

  buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SourcePartition<RawLine>> {
    return Promise.resolve(new ReadablePartition(this.#readable, this.#name, this.#options, context));
  }
}

/** Standard input. */
export class StdinSource extends ReadableSource {
  constructor(options?: LineOptions) {
    super(process.stdin, "stdin", options);
  }
}

/** One reading of a stream. */
export class ReadablePartition implements SourcePartition<RawLine> {
  readonly #readable: Readable;
  readonly #name: string;
  readonly #reader: LocalReader<Buffer | undefined>;
  readonly #text: TextStream;
  readonly #splitter: LineSplitter;
  readonly #context: PartContext;
  #over = false;
  #stopped = false;

  constructor(readable: Readable, name: string, options: Required<LineOptions>, context: PartContext) {
    this.#readable = readable;
    this.#name = name;
    this.#text = new TextStream(readable);
    this.#reader = new LocalReader(() => this.#read(), context.time);
    this.#splitter = new LineSplitter(options);
    this.#context = context;
  }

  async nextBatch(): Promise<SourceBatch<RawLine>> {
    while (!this.#over) {
      const chunk = await this.#reader.next();
      this.#over = chunk === undefined;
      // Stopped in the middle of a line: an incomplete line is no event.
      if (this.#over && this.#stopped) break;
      const cut = chunk === undefined ? this.#splitter.end() : this.#splitter.push(chunk);
      rejectOversized(cut.oversized, this.#context);
      if (cut.lines.length > 0 || cut.oversized.length > 0) return { kind: "batch", events: cut.lines };
    }
    return { kind: "end" };
  }

  /** An incomplete line has more to come. So may a file or a decompressor: the event loop does not see their work. */
  async drained(): Promise<Drained | undefined> {
    if (this.#readable instanceof ReadStream || this.#text.compressed) return undefined;
    const proof = await this.#reader.drained();
    return this.#splitter.inLine ? undefined : proof;
  }

  snapshot(): Json {
    return null;
  }

  /** Stops reading at once, since the rest would not be read. */
  stop(): void {
    this.#stopped = true;
    this.#readable.destroy();
  }

  close(): Promise<void> {
    this.#stopped = true;
    this.#reader.close();
    this.#readable.destroy();
    return Promise.resolve();
  }

  async #read(): Promise<Buffer | undefined> {
    try {
      return await this.#text.next();
    } catch (error) {
      // Destroying the stream ends a waiting iteration with an error of its own.
      if (this.#stopped) return undefined;
      throw new SourceError(
        `step "${this.#context.step}": reading ${this.#name} failed: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
}
