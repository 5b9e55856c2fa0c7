import { Readable, pipeline } from "node:stream";
import type { Duplex } from "node:stream";
import * as zlib from "node:zlib";

/** How a file is written, by what its first bytes say. */
export type FileForm = "plain" | "utf8-mark" | "gzip" | "zstd" | "utf16";

const SIGNATURES: readonly (readonly [form: FileForm, bytes: readonly number[]])[] = [
  ["utf8-mark", [0xef, 0xbb, 0xbf]],
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["utf16", [0xff, 0xfe]],
  ["utf16", [0xfe, 0xff]],
];

/** So many bytes always tell the form. */
export const FORM_BYTES = 4;
/** Length of a byte-order mark in UTF-8. */
export const UTF8_MARK_BYTES = 3;

/** @returns the form of what begins with these bytes; `undefined`: more of them are needed to tell */
export function formOf(head: Uint8Array): FileForm | undefined {
  for (const [form, bytes] of SIGNATURES) {
    if (bytes.slice(0, head.length).every((byte, at) => head[at] === byte)) {
      return head.length < bytes.length ? undefined : form;
    }
  }
  // A character of ASCII with a zero beside it; there is no zero in JSON.
  return head.length > 1 && (head[0] === 0 || head[1] === 0) ? "utf16" : "plain";
}

/** @throws Error with the remedy, for a form that is not read */
export function requireReadable(form: FileForm): void {
  if (form === "utf16") {
    throw new Error("it is UTF-16, and lines are UTF-8: convert it, with iconv -f UTF-16 -t UTF-8 for one");
  }
  if (form === "zstd" && unzstd() === undefined) {
    throw new Error(
      "it is compressed with zstd, which this version of Node cannot read: decompress it with zstd -d, or use Node 22.15 or later",
    );
  }
}

/** Pieces of text in order, from a stream of any form: decompressed, and without a byte-order mark. */
export class TextStream {
  readonly #pieces: AsyncGenerator<Buffer>;
  #compressed = false;

  constructor(chunks: AsyncIterable<unknown>) {
    this.#pieces = this.#read(chunks[Symbol.asyncIterator]());
  }

  /** What was read is still being decompressed where the event loop cannot see it. */
  get compressed(): boolean {
    return this.#compressed;
  }

  /** @returns `undefined` at the end */
  async next(): Promise<Buffer | undefined> {
    const next = await this.#pieces.next();
    return next.done === true ? undefined : next.value;
  }

  async *#read(chunks: AsyncIterator<unknown>): AsyncGenerator<Buffer> {
    let head: Buffer = Buffer.alloc(0);
    let form: FileForm | undefined;
    while (form === undefined) {
      const next = await chunks.next();
      if (next.done === true) break;
      head = head.length === 0 ? bufferOf(next.value) : Buffer.concat([head, bufferOf(next.value)]);
      form = head.length === 0 ? undefined : formOf(head);
    }
    form ??= "plain";
    requireReadable(form);
    const rest = restOf(form === "utf8-mark" ? head.subarray(UTF8_MARK_BYTES) : head, chunks);
    const decompressor = decompressorOf(form);
    if (decompressor === undefined) {
      yield* rest;
      return;
    }
    this.#compressed = true;
    // An error reaches the reader through the decompressor, which is destroyed with it.
    pipeline(Readable.from(rest, { objectMode: false }), decompressor, () => undefined);
    // What was compressed may begin with a mark of its own.
    const inner = new TextStream(decompressor);
    for (let piece = await inner.next(); piece !== undefined; piece = await inner.next()) yield piece;
  }
}

async function* restOf(head: Buffer, chunks: AsyncIterator<unknown>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    yield bufferOf(next.value);
  }
}

function decompressorOf(form: FileForm): Duplex | undefined {
  if (form === "gzip") return zlib.createGunzip();
  return form === "zstd" ? unzstd()?.() : undefined;
}

/** Newer versions of Node have it. */
function unzstd(): (() => Duplex) | undefined {
  const create: unknown = Reflect.get(zlib, "createZstdDecompress");
  return isFactory(create) ? create : undefined;
}

function isFactory(value: unknown): value is () => Duplex {
  return typeof value === "function";
}

function bufferOf(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}
