import type { Redis } from "ioredis";
import { PushReader } from "./push-reader.ts";
import type { Message, PushReaderOptions } from "./push-reader.ts";

/** Set to `1`, it leaves all messages to the events of the client library. */
export const LIBRARY_EVENTS = "MILLRACE_LIBRARY_EVENTS";

/**
 * Reads the messages of a channel where they arrive, before the client library's parser, which makes an object and a Buffer
 * of each. The parser gets all other bytes, in order, and so the library keeps connecting, subscribing and answering.
 *
 * To be called while no command waits for its answer and nothing is subscribed, since the parser is between two replies
 * then. What the reader leaves to the parser arrives as events of the library.
 *
 * @param lost called if the bytes turn out to be something else than replies: the library gets them and all that follow
 * @returns undefined if it reads; else why it does not: the library does not look as expected
 */
export function tapSocket(
  { stream }: Pick<Redis, "stream">,
  options: PushReaderOptions,
  receive: (messages: readonly Message[]) => void,
  lost: (why: string) => void,
): string | undefined {
  if (process.env[LIBRARY_EVENTS] === "1") return `${LIBRARY_EVENTS} is set`;
  // The type promises a stream, but a change of the library must not break what works without this.
  if (typeof (stream as Partial<typeof stream> | undefined)?.listeners !== "function")
    return "it has no stream";
  const listeners = stream.listeners("data");
  const [parse] = listeners;
  if (parse === undefined || listeners.length > 1) {
    return `${listeners.length} listeners get the bytes of its stream, not one`;
  }
  const others = (bytes: Buffer): void => {
    parse.call(stream, bytes);
  };
  const reader = new PushReader(options, {
    messages: receive,
    others,
    unknown(bytes) {
      if (stream.listeners("data").includes(read)) {
        stream.on("data", others);
        stream.off("data", read);
        lost("the connection received something that is no reply");
      }
      others(bytes);
    },
  });
  const read = (bytes: Buffer): void => {
    reader.read(bytes);
  };
  // Not `prependListener`, as the library does it: Node 20 then takes a longer way, with a buffer and a tick for each chunk.
  stream.on("data", read);
  stream.off("data", parse as (bytes: Buffer) => void);
  return undefined;
}
