import type { Writable } from "node:stream";
import { SinkError, messageOf } from "@millrace/dataflow";

/** Callbacks for a standard output that cannot be written any more. */
export interface OutputEnds {
  /** The reader closed the pipe (as `| head` does). */
  readonly gone: () => void;
  /** Any other error, such as a full disk. */
  readonly failed: (error: SinkError) => void;
}

/**
 * Calls back when standard output cannot be written any more. It listens to that stream only: an EPIPE of a socket or a
 * file is an ordinary failure.
 */
export function onOutputEnd(stream: Writable, { gone, failed }: OutputEnds): void {
  stream.on("error", (error) => {
    if ("code" in error && error.code === "EPIPE") gone();
    else failed(new SinkError(`standard output cannot be written: ${messageOf(error)}`, { cause: error }));
  });
}
