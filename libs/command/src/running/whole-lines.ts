import { Transform } from "node:stream";
import type { TransformCallback } from "node:stream";

const LINE_FEED = 10;

/**
 * Passes text on in whole lines, so that the lines of several processes can go to one stream. The rest of a process that was
 * killed in the middle of a line is dropped: a reader of JSON lines could not read it.
 */
export class WholeLines extends Transform {
  #rest: Buffer[] = [];

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end === 0) {
      this.#rest.push(chunk);
      callback();
      return;
    }
    const lines = Buffer.concat([...this.#rest, chunk.subarray(0, end)]);
    this.#rest = end < chunk.length ? [chunk.subarray(end)] : [];
    callback(null, lines);
  }
}
