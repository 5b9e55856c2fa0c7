import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import { bytesOf } from "../bytes-of.ts";
import type { MessagePublisher } from "../pubsub/publish-lane.ts";
import type { PublishRow } from "../pubsub/pubsub-sink-options.ts";
import { DATA_FIELD } from "./message-decoder.ts";
import type { StreamLink } from "./stream-link.ts";
import { StreamRoom } from "./stream-room.ts";
import type { StreamLimit } from "./stream-sink-options.ts";

/** What a command costs besides its message, so that a flight of empty rows has an end. */
const COMMAND_BYTES = 64;

/** Messages that had an answer, or were sent again for want of one. */
export interface WriteCounts {
  readonly published: number;
  readonly entries: number;
  readonly bytes: number;
  readonly resent: number;
}

/** Adds messages to one stream, in order, a pipeline at a time. */
export class StreamWriter implements MessagePublisher {
  readonly #stream: string;
  readonly #link: StreamLink;
  readonly #maxInFlightBytes: number;
  readonly #trimTo: number | undefined;
  readonly #room: StreamRoom | undefined;
  readonly #count: (counts: WriteCounts) => void;

  /** The writer closes the link. */
  constructor(
    stream: string,
    link: StreamLink,
    {
      maxInFlightBytes,
      limit,
    }: { readonly maxInFlightBytes: number; readonly limit: StreamLimit | undefined },
    context: PartContext,
    count: (counts: WriteCounts) => void,
  ) {
    this.#stream = stream;
    this.#link = link;
    this.#maxInFlightBytes = maxInFlightBytes;
    this.#count = count;
    if (limit?.whenFull === "trim") this.#trimTo = limit.maxLength;
    else if (limit !== undefined) this.#room = new StreamRoom(stream, link, limit, context);
  }

  get disconnects(): number {
    return this.#link.disconnects;
  }

  /** How often the stream was full. */
  get waits(): number {
    return this.#room?.waits ?? 0;
  }

  /** @throws StreamFullError when there is no room and the policy is `fail` */
  async publish(messages: readonly PublishRow[], rowsOf: (index: number) => number): Promise<void> {
    for (let next = 0; next < messages.length;) {
      const wanted = this.#flightFrom(messages, next) - next;
      const end = next + ((await this.#room?.take(wanted)) ?? wanted);
      await this.#fly(messages, next, end, rowsOf);
      next = end;
    }
  }

  close(): Promise<void> {
    this.#room?.close();
    return this.#link.close();
  }

  /** @returns where the flight that starts at `from` ends */
  #flightFrom(messages: readonly PublishRow[], from: number): number {
    let bytes = 0;
    let end = from;
    for (let message = messages[end]; message !== undefined; message = messages[end]) {
      bytes += bytesOf(message) + COMMAND_BYTES;
      if (bytes > this.#maxInFlightBytes && end > from) break;
      end += 1;
    }
    return end;
  }

  /** After a loss of the connection it goes on with the first message that has no answer. */
  async #fly(
    messages: readonly PublishRow[],
    from: number,
    end: number,
    rowsOf: (index: number) => number,
  ): Promise<void> {
    let next = from;
    let sent = false;
    await this.#link.ask(async (client) => {
      if (sent) this.#count({ published: 0, entries: 0, bytes: 0, resent: rowsIn(next, end, rowsOf) });
      sent = true;
      const replies = (await this.#pipeline(client, messages.slice(next, end))) ?? [];
      const failed = replies.findIndex(([failure]) => failure !== null);
      const taken = failed < 0 ? end : next + failed;
      const bytes = messages.slice(next, taken).reduce((sum, message) => sum + bytesOf(message), 0);
      this.#count({ published: rowsIn(next, taken, rowsOf), entries: taken - next, bytes, resent: 0 });
      next = taken;
      const failure = replies[failed]?.[0];
      if (failure !== undefined && failure !== null) throw failure;
    });
  }

  #pipeline(
    client: Redis,
    messages: readonly PublishRow[],
  ): Promise<[error: Error | null, result: unknown][] | null> {
    const pipeline = client.pipeline();
    for (const message of messages) {
      const data =
        typeof message === "string"
          ? message
          : Buffer.from(message.buffer, message.byteOffset, message.length);
      if (this.#trimTo === undefined) pipeline.xadd(this.#stream, "*", DATA_FIELD, data);
      else pipeline.xadd(this.#stream, "MAXLEN", "~", this.#trimTo, "*", DATA_FIELD, data);
    }
    return pipeline.exec();
  }
}

function rowsIn(from: number, to: number, rowsOf: (index: number) => number): number {
  let rows = 0;
  for (let index = from; index < to; index += 1) rows += rowsOf(index);
  return rows;
}
