import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { TextStream } from "@millrace/dataflow";

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1_048_576;

/**
 * Counts the lines of a file, including a last one without a line break. Returns `undefined` for a pipe, which can be opened
 * and read only once, and for a file that is not text, which the source refuses.
 */
export async function countLines(path: string): Promise<number | undefined> {
  if (!(await stat(path)).isFile()) return undefined;
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const text = new TextStream(file);
  let lines = 0;
  let last = NEWLINE;
  try {
    for (let bytes = await text.next(); bytes !== undefined; bytes = await text.next()) {
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
      last = bytes.at(-1) ?? last;
    }
  } catch {
    return undefined;
  } finally {
    file.destroy();
  }
  return last === NEWLINE ? lines : lines + 1;
}
