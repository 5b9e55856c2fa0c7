import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { TextStream } from "@millrace/dataflow";
import type { RawLine } from "@millrace/dataflow";

/** How much there is to publish, in lines or in bytes; progress is a share of it. */
export interface Extent {
  readonly total: number;
  readonly unit: "lines" | "bytes";
}

/** Of a line, in the unit. */
export function sizeIn(unit: Extent["unit"]): (line: RawLine) => number {
  return unit === "lines" ? () => 1 : (line) => Buffer.byteLength(line) + 1;
}

/** Enough to see whether a file is compressed. */
const HEAD_BYTES = 64;

/**
 * The bytes of a file's text, by its size: the file is not read. `undefined` for a pipe, for a compressed file, and for one
 * that the source refuses.
 */
export async function extentOf(path: string): Promise<Extent | undefined> {
  const found = await stat(path);
  if (!found.isFile()) return undefined;
  const head = createReadStream(path, { end: HEAD_BYTES - 1 });
  const text = new TextStream(head);
  try {
    await text.next();
    return text.compressed ? undefined : { total: found.size, unit: "bytes" };
  } catch {
    // It is no text, or the head of something compressed.
    return undefined;
  } finally {
    head.destroy();
  }
}
