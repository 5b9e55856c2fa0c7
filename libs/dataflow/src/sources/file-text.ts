import { Readable, pipeline } from "node:stream";
import type { Duplex } from "node:stream";
import * as zlib from "node:zlib";

/** The encoding of a file, by its first bytes: UTF-8, compressed and decompressed here, or not supported. */
export type FileForm = "plain" | "utf8-mark" | "gzip" | "zstd" | Unread;

type Unread = Encoding | keyof typeof UNPACK_WITH;

/** Names as in iconv; without LE or BE the byte-order mark decides. */
type Encoding = `UTF-${16 | 32}${"" | "LE" | "BE"}`;

/** Commands that unpack the formats that are not decompressed here. */
const UNPACK_WITH = {
  bzip2: "bzip2 -dc",
  xz: "xz -dc",
  zip: "unzip -p",
  lz4: "lz4 -dc",
  lzip: "lzip -dc",
  compress: "uncompress -c",
  "7-zip": "7z x -so",
} as const;

/** `undefined` stands for any byte. The first match counts. */
const SIGNATURES: readonly (readonly [form: FileForm, bytes: readonly (number | undefined)[]])[] = [
  ["utf8-mark", [0xef, 0xbb, 0xbf]],
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68, undefined, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59]],
  // An empty one.
  ["bzip2", [0x42, 0x5a, 0x68, undefined, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["zip", [0x50, 0x4b, 0x05, 0x06]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["lzip", [0x4c, 0x5a, 0x49, 0x50, 0x01]],
  ["compress", [0x1f, 0x9d]],
  ["7-zip", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ["UTF-32", [0xff, 0xfe, 0x00, 0x00]],
  ["UTF-32", [0x00, 0x00, 0xfe, 0xff]],
  ["UTF-16", [0xff, 0xfe]],
  ["UTF-16", [0xfe, 0xff]],
  // An ASCII character next to zeros; JSON contains no zero byte.
  ["UTF-32LE", [undefined, 0x00, 0x00, 0x00]],
  ["UTF-32BE", [0x00, 0x00, 0x00]],
  ["UTF-16LE", [undefined, 0x00]],
  ["UTF-16BE", [0x00]],
];

/** This many bytes are always enough to determine the form. */
export const FORM_BYTES = 10;
/** Length of a byte-order mark in UTF-8. */
export const UTF8_MARK_BYTES = 3;

/**
 * @param whole whether no bytes follow
 * @returns the form of a file with these first bytes; `undefined`: more bytes are needed
 */
export function formOf(head: Uint8Array, whole: boolean): FileForm | undefined {
  for (const [form, bytes] of SIGNATURES) {
    // A single first byte is no reason to hold a line back.
    if (head.length < 2 && bytes[0] === undefined) continue;
    const fits = bytes.slice(0, head.length).every((byte, at) => byte === undefined || head[at] === byte);
    if (fits && head.length >= bytes.length) return form;
    if (fits && !whole) return undefined;
  }
  return "plain";
}

/** @throws Error with the remedy, for a form that is not supported */
export function requireReadable(form: FileForm): void {
  switch (form) {
    case "plain":
    case "utf8-mark":
    case "gzip":
      return;
    case "zstd":
      if (unzstd() !== undefined) return;
      throw new Error(
        "it is compressed with zstd, which this version of Node cannot read: decompress it with zstd -d, or use Node 22.15 or later",
      );
    case "UTF-16":
    case "UTF-16LE":
    case "UTF-16BE":
    case "UTF-32":
    case "UTF-32LE":
    case "UTF-32BE":
      throw new Error(
        `it is ${form}, and lines are UTF-8: convert it, for example with iconv -f ${form} -t UTF-8`,
      );
    default:
      throw new Error(
        `it is compressed with ${form}, and only gzip and zstd are read: decompress it first, for example with ${UNPACK_WITH[form]}`,
      );
  }
}

/** Pieces of text in order, from a stream of any supported form: decompressed, and without a byte-order mark. */
export class TextStream {
  readonly #pieces: AsyncGenerator<Buffer>;
  #compressed = false;

  constructor(chunks: AsyncIterable<unknown>) {
    this.#pieces = this.#read(chunks[Symbol.asyncIterator]());
  }

  /** Whether data is still being decompressed, which the event loop cannot see. */
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
      form = head.length === 0 ? undefined : formOf(head, false);
    }
    form ??= formOf(head, true) ?? "plain";
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
    // Decompressed text may begin with a byte-order mark of its own.
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

/** Available in newer versions of Node. */
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
