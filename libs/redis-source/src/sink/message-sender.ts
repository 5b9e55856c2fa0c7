import type { Redis } from "ioredis";
import { bytesOf } from "../wire/frame.ts";
import { isReply } from "../connection/explain-failure.ts";
import type { RetryingClient } from "../connection/retrying-client.ts";
import type { Answer, PublishRow, Room, Transport } from "./transport.ts";

/** At least two batches are in flight: Redis works on one while the other is written. */
const FEWEST_IN_FLIGHT = 2;
/** A batch that is published at once is buffered whole for each subscriber, and counts towards its output buffer limit. */
const LARGEST_BATCH_BYTES = 128 * 1_024;
/** The size of a command besides its message, so that a batch of empty messages is limited, too. */
const COMMAND_BYTES = 64;

/** What happened to messages, counted in rows, except `messages` and `bytes`. */
export interface SendCounts {
  /** Accepted by Redis. */
  readonly published: number;
  /** Messages that carried them, heartbeats too. */
  readonly messages: number;
  readonly bytes: number;
  /** Accepted, without a subscriber. */
  readonly unheard: number;
  /** Sent again because there was no answer. */
  readonly resent: number;
}

/** Nothing was sent. */
export const NO_COUNTS: SendCounts = Object.freeze({
  published: 0,
  messages: 0,
  bytes: 0,
  unheard: 0,
  resent: 0,
});

/** Messages that are sent together. */
interface Batch {
  readonly indexes: readonly number[];
  readonly payloads: readonly (string | Buffer)[];
  readonly sizes: readonly number[];
  /** Of messages and commands. */
  readonly bytes: number;
}

/** The result of one round of sending. */
interface Outcome {
  /** Indexes of the messages that Redis has not accepted, in order. */
  readonly left: readonly number[];
  /** Rows in messages without an answer: Redis may have accepted them. */
  readonly unanswered: number;
  /** Why the first of them was not accepted; `undefined`: all were. */
  readonly failure: Error | undefined;
}

/** Sends messages to one channel or stream, in order, in batches, through any number of reconnects, and counts them. */
export class MessageSender {
  readonly #redis: RetryingClient;
  readonly #transport: Transport;
  readonly #maxInFlightBytes: number;
  readonly #count: (counts: SendCounts) => void;
  readonly #room: Room | undefined;
  #published = 0;

  /**
   * @param redis closed by the sender
   * @param maxInFlightBytes sent and not yet answered; a larger message is sent alone
   */
  constructor(
    redis: RetryingClient,
    transport: Transport,
    maxInFlightBytes: number,
    count: (counts: SendCounts) => void,
  ) {
    this.#redis = redis;
    this.#transport = transport;
    this.#maxInFlightBytes = maxInFlightBytes;
    this.#count = count;
    this.#room = transport.room?.(redis);
  }

  /** How often the connection was lost. */
  get disconnects(): number {
    return this.#redis.disconnects;
  }

  /** Rows that Redis has accepted. */
  get published(): number {
    return this.#published;
  }

  /** How often messages had to wait for room. */
  get waits(): number {
    return this.#room?.waits ?? 0;
  }

  /**
   * Resolves when Redis has accepted each message. Messages that it has not accepted, because the connection was lost or
   * it refused them for now, are sent again, and no others.
   *
   * @param rowsOf rows in the message with this index
   * @throws RedisError if Redis refuses for good, or the sender was closed
   */
  async publish(messages: readonly PublishRow[], rowsOf: (index: number) => number): Promise<void> {
    for (let from = 0; from < messages.length;) {
      const wanted = messages.length - from;
      const count = (await this.#room?.take(wanted)) ?? wanted;
      const indexes = Array.from({ length: count }, (_, i) => from + i);
      await this.#sendUntilTaken(messages, indexes, rowsOf);
      from += count;
    }
  }

  /** Rejects what is outstanding. Idempotent. */
  close(): Promise<void> {
    this.#room?.close();
    return this.#redis.close();
  }

  async #sendUntilTaken(
    messages: readonly PublishRow[],
    indexes: readonly number[],
    rowsOf: (index: number) => number,
  ): Promise<void> {
    let left = indexes;
    let unanswered = 0;
    await this.#redis.run(async ({ client, watch }) => {
      const watched = watch();
      let failure: Error | undefined;
      try {
        do {
          if (unanswered > 0) this.#count({ ...NO_COUNTS, resent: unanswered });
          const outcome = await this.#send(client, messages, left, rowsOf, watched.answered);
          ({ left, unanswered, failure } = outcome);
        } while (failure !== undefined && this.#transport.fallBack?.(failure) === true);
      } finally {
        watched.end();
      }
      if (failure !== undefined) throw watched.overdue ?? failure;
    });
  }

  /** Sends the messages with these indexes, batch by batch, and stops when one fails. */
  async #send(
    client: Redis,
    messages: readonly PublishRow[],
    indexes: readonly number[],
    rowsOf: (index: number) => number,
    answered: () => void,
  ): Promise<Outcome> {
    const inFlight: { readonly batch: Batch; readonly answers: Promise<readonly Answer[]> }[] = [];
    const refused: number[] = [];
    let bytesInFlight = 0;
    let sent = 0;
    let unanswered = 0;
    let failure: Error | undefined;
    let next = this.#batchFrom(messages, indexes, sent);
    for (;;) {
      while (
        next !== undefined &&
        failure === undefined &&
        (inFlight.length === 0 || bytesInFlight + next.bytes <= this.#maxInFlightBytes)
      ) {
        inFlight.push({ batch: next, answers: this.#transport.send(client, next.payloads) });
        bytesInFlight += next.bytes;
        sent += next.indexes.length;
        next = sent < indexes.length ? this.#batchFrom(messages, indexes, sent) : undefined;
      }
      // After a failure, batches in flight may still be accepted: what is sent again must not overtake them.
      const first = inFlight.shift();
      if (first === undefined) return { left: [...refused, ...indexes.slice(sent)], unanswered, failure };
      const { batch } = first;
      const answers = await first.answers;
      answered();
      this.#note(batch, answers, rowsOf);
      batch.indexes.forEach((index, i) => {
        const answer = answers[i];
        if (typeof answer === "number") return;
        failure ??= answer ?? new Error("Redis did not answer.");
        refused.push(index);
        if (!isReply(answer)) unanswered += rowsOf(index);
      });
      bytesInFlight -= batch.bytes;
    }
  }

  #batchFrom(messages: readonly PublishRow[], all: readonly number[], from: number): Batch | undefined {
    const mostBytes = Math.min(this.#maxInFlightBytes / FEWEST_IN_FLIGHT, LARGEST_BATCH_BYTES);
    const indexes: number[] = [];
    const sizes: number[] = [];
    const payloads: (string | Buffer)[] = [];
    let bytes = 0;
    for (let at = from; at < all.length; at += 1) {
      const index = all[at] ?? 0;
      const message = messages[index] ?? "";
      const size = bytesOf(message);
      if (sizes.length > 0 && bytes + size + COMMAND_BYTES > mostBytes) break;
      bytes += size + COMMAND_BYTES;
      indexes.push(index);
      sizes.push(size);
      payloads.push(
        typeof message === "string"
          ? message
          : Buffer.from(message.buffer, message.byteOffset, message.length),
      );
    }
    return sizes.length === 0 ? undefined : { indexes, payloads, sizes, bytes };
  }

  /** Counts what Redis has accepted. */
  #note({ indexes, sizes }: Batch, answers: readonly Answer[], rowsOf: (index: number) => number): void {
    let [published, messages, bytes, unheard] = [0, 0, 0, 0];
    indexes.forEach((index, i) => {
      const heard = answers[i];
      if (typeof heard !== "number") return;
      published += rowsOf(index);
      messages += 1;
      bytes += sizes[i] ?? 0;
      if (heard === 0) unheard += rowsOf(index);
    });
    this.#published += published;
    this.#count({ published, messages, bytes, unheard, resent: 0 });
  }
}
