import type { Redis } from "ioredis";
import { bytesOf } from "../bytes-of.ts";
import type { PubSubTransport } from "./pubsub-source-options.ts";

/** Two pipelines in flight keep both ends busy: Redis works on one while the other is written. */
const FLIGHTS = 2;
/** What a command costs besides its message, so that a flight of empty ones has an end. */
const COMMAND_BYTES = 64;

/** Where messages go. */
export interface PublishTarget {
  readonly channel: string;
  readonly transport: PubSubTransport;
  /** Sent and not yet answered; a larger message goes alone. */
  readonly maxInFlightBytes: number;
}

/** What Redis answered for some messages in a row. */
export interface PublishAnswer {
  readonly messages: number;
  readonly bytes: number;
  /** Indexes of those that no subscriber got. */
  readonly unheard: readonly number[];
}

/** How a call of {@link publishAll} ended. */
export interface PublishOutcome {
  /** Index behind the last message that was sent. */
  readonly sent: number;
  /** Why the rest has no answer; `undefined` if every message was answered. */
  readonly failure: Error | undefined;
}

interface Flight {
  readonly start: number;
  readonly end: number;
  readonly sizes: readonly number[];
  readonly replies: Promise<[error: Error | null, result: unknown][] | null>;
}

/**
 * Publishes `messages` from index `from` on, in order, and stops at the first one that fails. It never throws.
 *
 * @param onAnswer called once a pipeline, always for the messages that follow those of the call before
 */
export async function publishAll(
  client: Redis,
  target: PublishTarget,
  messages: readonly (string | Uint8Array)[],
  from: number,
  onAnswer: (answer: PublishAnswer) => void,
): Promise<PublishOutcome> {
  const flying: Flight[] = [];
  let sent = from;
  for (;;) {
    while (sent < messages.length && flying.length < FLIGHTS) {
      const flight = takeOff(client, target, messages, sent);
      flying.push(flight);
      sent = flight.end;
    }
    const flight = flying.shift();
    if (flight === undefined) return { sent, failure: undefined };
    const { answer, failure } = readReplies(await flight.replies, flight);
    onAnswer(answer);
    // The flight behind has failed for the same reason; its promise does not reject.
    if (failure !== undefined) return { sent, failure };
  }
}

function takeOff(
  client: Redis,
  { channel, transport, maxInFlightBytes }: PublishTarget,
  messages: readonly (string | Uint8Array)[],
  start: number,
): Flight {
  const pipeline = client.pipeline();
  const sizes: number[] = [];
  let end = start;
  let bytes = 0;
  for (let message = messages[end]; message !== undefined; message = messages[end]) {
    const size = bytesOf(message);
    bytes += size + COMMAND_BYTES;
    if (bytes > maxInFlightBytes / FLIGHTS && end > start) break;
    sizes.push(size);
    const payload =
      typeof message === "string" ? message : Buffer.from(message.buffer, message.byteOffset, message.length);
    if (transport === "sharded") pipeline.spublish(channel, payload);
    else pipeline.publish(channel, payload);
    end += 1;
  }
  return { start, end, sizes, replies: pipeline.exec() };
}

function readReplies(
  replies: readonly [error: Error | null, result: unknown][] | null,
  { start, sizes }: Flight,
): { answer: PublishAnswer; failure: Error | undefined } {
  let messages = 0;
  let bytes = 0;
  const unheard: number[] = [];
  for (const [failure, subscribers] of replies ?? []) {
    if (failure !== null) return { answer: { messages, bytes, unheard }, failure };
    if (subscribers === 0) unheard.push(start + messages);
    bytes += sizes[messages] ?? 0;
    messages += 1;
  }
  return { answer: { messages, bytes, unheard }, failure: undefined };
}
