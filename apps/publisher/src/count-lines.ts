import { open } from "node:fs/promises";

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1_048_576;

/** Lines of a file, the last one included if it has no line end; `undefined` for a pipe, which can be read only once. */
export async function countLines(path: string): Promise<number | undefined> {
  const file = await open(path);
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let lines = 0;
    let last = NEWLINE;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return last === NEWLINE ? lines : lines + 1;
      const bytes = chunk.subarray(0, bytesRead);
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
      last = bytes[bytesRead - 1] ?? NEWLINE;
    }
  } finally {
    await file.close();
  }
}
