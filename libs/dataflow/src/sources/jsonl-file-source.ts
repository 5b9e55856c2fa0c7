import { createReadStream, open as openCallback, statSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import type { Json } from "@millrace/windowing";
import type { RawLine } from "../contracts/decoder.ts";
import type { PartContext, Partitioning, Source, SourceBatch, SourcePartition } from "../contracts/source.ts";
import { MillraceError, SourceError, StateError, messageOf } from "../errors.ts";
import { withDefaults } from "../with-defaults.ts";
import { FORM_BYTES, TextStream, UTF8_MARK_BYTES, formOf, requireReadable } from "./file-text.ts";
import { DEFAULT_LINE_OPTIONS, offsetOf, rejectOversized } from "./line-bounds.ts";
import type { LineOptions } from "./line-bounds.ts";
import { LineSplitter } from "./line-splitter.ts";
import { ReadablePartition } from "./readable-source.ts";

/** Names of standard input, which cannot always be opened as files. */
const STDIN_PATHS = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

const openDescriptor = promisify(openCallback);

/**
 * The lines of a file, as they are. Its position is the offset in bytes after the last line read, so a run over a
 * recorded file resumes exactly. The one partition is named after the path.
 *
 * A UTF-8 byte-order mark is left out. A file compressed with gzip (or zstd, from Node 22.15) is recognised by its
 * content and decompressed; its position is an offset in the text. UTF-16 is refused. Anything but a regular file, such
 * as a named pipe or `/dev/stdin`, is read as a stream, once, and cannot resume.
 */
export class JsonlFileSource implements Source<RawLine> {
  readonly partitioning: Partitioning = { kind: "single" };
  readonly #path: string;
  readonly #options: Required<LineOptions>;
  #streamed = false;

  constructor(path: string, options: LineOptions = {}) {
    this.#path = path;
    this.#options = withDefaults(DEFAULT_LINE_OPTIONS, options);
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve([this.#path]);
  }

  /** @throws StateError */
  checkPosition(part: string, position: Json): void {
    // A stream has no position.
    if (position === null && statSync(part, { throwIfNoEntry: false })?.isFile() === false) return;
    offsetOf(`the file ${part}`, position);
  }

  /** @throws SourceError for a file that cannot be read, StateError for a position of another source */
  async buildPart(
    part: string,
    resume: Json | undefined,
    context: PartContext,
  ): Promise<SourcePartition<RawLine>> {
    try {
      const stats = await stat(part);
      if (stats.isDirectory()) throw new Error("it is a directory");
      if (!stats.isFile())
        return await this.#openStream(part, resume ?? null, stats.isCharacterDevice(), context);
      const offset = offsetOf(`the file ${part}`, resume ?? 0);
      return await openFile(part, offset, this.#options, context);
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      throw new SourceError(`step "${context.step}": cannot read ${part}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async #openStream(
    part: string,
    resume: Json,
    device: boolean,
    context: PartContext,
  ): Promise<SourcePartition<RawLine>> {
    if (resume !== null) {
      throw new StateError(
        `the stored position ${JSON.stringify(resume)} is an offset in a file, but ${part} is now a stream; give the file, or reset the state`,
      );
    }
    if (this.#streamed) throw new Error("it is a stream, which can be read only once");
    this.#streamed = true;
    return new ReadablePartition(await streamOf(part, device), part, this.#options, context);
  }
}

/** Opening a named pipe waits for its writer. */
async function streamOf(path: string, device: boolean): Promise<Readable> {
  if (STDIN_PATHS.includes(path)) return process.stdin;
  const fd = await openDescriptor(path, "r");
  // Reading a pipe as a file would block a thread while no data comes.
  return device ? createReadStream(path, { fd }) : new Socket({ fd, readable: true, writable: false });
}

async function openFile(
  path: string,
  offset: number,
  options: Required<LineOptions>,
  context: PartContext,
): Promise<SourcePartition<RawLine>> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(FORM_BYTES);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const form = formOf(head.subarray(0, bytesRead), true) ?? "plain";
    requireReadable(form);
    const splitter = new LineSplitter(options);
    if (form === "gzip" || form === "zstd") {
      return new FilePartition(file, offset, compressedText(file, offset), splitter, context);
    }
    const start = form === "utf8-mark" ? Math.max(offset, UTF8_MARK_BYTES) : offset;
    return new FilePartition(file, start, plainText(file, start, options), splitter, context);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Returns the next bytes of a file's text; none at its end. */
type ReadText = () => Promise<Buffer | undefined>;

/** Reads the next chunk while the last one is processed. */
function plainText(file: FileHandle, start: number, options: Required<LineOptions>): ReadText {
  const memory = memoryFor(options);
  let offset = start;
  const read = async (): Promise<Buffer | undefined> => {
    const chunk = memory();
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset);
    offset += bytesRead;
    return bytesRead === 0 ? undefined : chunk.subarray(0, bytesRead);
  };
  let ahead: Promise<Buffer | undefined> | undefined;
  return async () => {
    const chunk = await (ahead ?? read());
    ahead = chunk === undefined ? undefined : read();
    // A partition that is closed before its next batch does not wait for it.
    ahead?.catch(() => undefined);
    return chunk;
  };
}

/**
 * Where chunks are read into. Two take turns if lines are texts, or copies of their bytes: one is read into while the other
 * is cut. Lines that are parts of a chunk keep it.
 */
function memoryFor({ as, chunkBytes }: Required<LineOptions>): () => Buffer {
  if (as === "bytes") return () => Buffer.allocUnsafe(chunkBytes);
  let [next, other] = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)];
  return () => {
    [next, other] = [other, next];
    return next;
  };
}

/** Compressed data has no random access: everything before the offset is read and dropped. */
function compressedText(file: FileHandle, start: number): ReadText {
  const text = new TextStream(file.createReadStream({ start: 0, autoClose: false }));
  let before = start;
  return async () => {
    for (;;) {
      const chunk = await text.next();
      if (chunk === undefined || chunk.length > before) {
        const rest = chunk?.subarray(before);
        before = 0;
        return rest;
      }
      before -= chunk.length;
    }
  };
}

class FilePartition implements SourcePartition<RawLine> {
  readonly #file: FileHandle;
  readonly #start: number;
  readonly #read: ReadText;
  readonly #splitter: LineSplitter;
  readonly #context: PartContext;
  #over = false;

  constructor(file: FileHandle, start: number, read: ReadText, splitter: LineSplitter, context: PartContext) {
    this.#file = file;
    this.#start = start;
    this.#read = read;
    this.#splitter = splitter;
    this.#context = context;
  }

  async nextBatch(): Promise<SourceBatch<RawLine>> {
    while (!this.#over) {
      const chunk = await this.#read();
      this.#over = chunk === undefined;
      const cut = chunk === undefined ? this.#splitter.end() : this.#splitter.push(chunk);
      rejectOversized(cut.oversized, this.#context);
      if (cut.lines.length > 0 || cut.oversized.length > 0) return { kind: "batch", events: cut.lines };
    }
    return { kind: "end" };
  }

  /** Until its end, a file always has more to read. */
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
