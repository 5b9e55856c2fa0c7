import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import { bytesOf } from "../bytes-of.ts";
import { isReply } from "../connection/explain-failure.ts";
import type { RetryingClient } from "../connection/retrying-client.ts";
import type { MessagePublisher } from "../pubsub/publish-lane.ts";
import type { PublishRow } from "../pubsub/pubsub-sink-options.ts";
import { DATA_FIELD } from "./message-decoder.ts";
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
  readonly #redis: RetryingClient;
  readonly #maxInFlightBytes: number;
  readonly #trimTo: number | undefined;
  readonly #room: StreamRoom | undefined;
  readonly #count: (counts: WriteCounts) => void;
  #published = 0;

  /** The writer closes the client. */
  constructor(
    stream: string,
    redis: RetryingClient,
    {
      maxInFlightBytes,
      limit,
    }: { readonly maxInFlightBytes: number; readonly limit: StreamLimit | undefined },
    context: PartContext,
    count: (counts: WriteCounts) => void,
  ) {
    this.#stream = stream;
    this.#redis = redis;
    this.#maxInFlightBytes = maxInFlightBytes;
    this.#count = count;
    if (limit?.whenFull === "trim") this.#trimTo = limit.maxLength;
    else if (limit !== undefined) this.#room = new StreamRoom(stream, redis, limit, context);
  }

  get disconnects(): number {
    return this.#redis.disconnects;
  }

  get published(): number {
    return this.#published;
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
    return this.#redis.close();
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

  /** What Redis has not taken, for want of a connection or of memory, is sent again, and nothing else. */
  async #fly(
    messages: readonly PublishRow[],
    from: number,
    end: number,
    rowsOf: (index: number) => number,
  ): Promise<void> {
    let left = Array.from({ length: end - from }, (_, i) => from + i);
    let unanswered = 0;
    await this.#redis.ask(async (client) => {
      if (unanswered > 0) this.#count({ published: 0, entries: 0, bytes: 0, resent: unanswered });
      const batch = left.map((index) => messages[index] ?? "");
      const replies = (await this.#pipeline(client, batch)) ?? [];
      let [published, bytes] = [0, 0];
      let failure: Error | undefined;
      unanswered = 0;
      const again = left.filter((index, i) => {
        const error = replies[i]?.[0];
        if (error === null) {
          published += rowsOf(index);
          bytes += bytesOf(batch[i] ?? "");
          return false;
        }
        failure ??= error;
        if (!isReply(error)) unanswered += rowsOf(index);
        return true;
      });
      this.#published += published;
      this.#count({ published, entries: left.length - again.length, bytes, resent: 0 });
      left = again;
      if (failure !== undefined) throw failure;
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
