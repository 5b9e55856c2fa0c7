import type { Writable } from "node:stream";
import { SinkError, messageOf } from "@millrace/dataflow";

/** What becomes of a program whose output cannot be written any more. */
export interface OutputEnds {
  /** Its reader has gone away (`| head` has seen enough). */
  readonly gone: () => void;
  /** Anything else, such as a full disk. */
  readonly failed: (error: SinkError) => void;
}

/**
 * Calls back when nothing more can be written on standard output. The stream itself says so: an EPIPE of anything else,
 * such as a socket or a file, is a failure of that.
 */
export function onOutputEnd(stream: Writable, { gone, failed }: OutputEnds): void {
  stream.on("error", (error) => {
    if ("code" in error && error.code === "EPIPE") gone();
    else failed(new SinkError(`standard output cannot be written: ${messageOf(error)}`, { cause: error }));
  });
}
