import type { Writable } from "node:stream";

/**
 * Calls back when the reader of a stream has gone away (`| head` has seen enough). The stream itself says so: an EPIPE of
 * anything else, such as a socket or a file, is a failure of that.
 *
 * @throws from the stream's event, any other error of it
 */
export function onReaderGone(stream: Writable, callback: () => void): void {
  stream.on("error", (error) => {
    if (!("code" in error) || error.code !== "EPIPE") throw error;
    callback();
  });
}
