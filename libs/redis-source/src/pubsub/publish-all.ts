import type { Redis } from "ioredis";
import { bytesOf } from "../bytes-of.ts";
import type { Heard, SendTogether } from "./send-together.ts";

/** Two flights under way keep both ends busy: Redis works on one while the other is written. */
const FEWEST_FLIGHTS = 2;
/** What is published in one stroke waits for each subscriber as a whole, and counts towards Redis' limit for slow ones. */
const LARGEST_FLIGHT_BYTES = 128 * 1_024;
/** What a command costs besides its message, so that a flight of empty ones has an end. */
const COMMAND_BYTES = 64;

/** Where messages go. */
export interface PublishTarget {
  readonly channel: string;
  readonly send: SendTogether;
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
  readonly sizes: readonly number[];
  readonly heard: Promise<Heard>;
}

/**
 * Publishes `messages` from index `from` on, in order, and stops at the first one that fails. It never throws.
 *
 * @param onAnswer called once a flight, always for the messages that follow those of the call before
 */
export async function publishAll(
  client: Redis,
  target: PublishTarget,
  messages: readonly (string | Uint8Array)[],
  from: number,
  onAnswer: (answer: PublishAnswer) => void,
): Promise<PublishOutcome> {
  const flightBytes = Math.min(target.maxInFlightBytes / FEWEST_FLIGHTS, LARGEST_FLIGHT_BYTES);
  const flights = Math.floor(target.maxInFlightBytes / flightBytes);
  const flying: Flight[] = [];
  let sent = from;
  for (;;) {
    while (sent < messages.length && flying.length < flights) {
      const flight = takeOff(client, target, messages, sent, flightBytes);
      flying.push(flight);
      sent += flight.sizes.length;
    }
    const flight = flying.shift();
    if (flight === undefined) return { sent, failure: undefined };
    const { subscribers, failure } = await flight.heard;
    onAnswer(answerOf(subscribers, flight));
    // The flight behind has failed for the same reason; its promise does not reject.
    if (failure !== undefined) return { sent, failure };
  }
}

function takeOff(
  client: Redis,
  { channel, send }: PublishTarget,
  messages: readonly (string | Uint8Array)[],
  start: number,
  mostBytes: number,
): Flight {
  const sizes: number[] = [];
  const payloads: (string | Buffer)[] = [];
  let bytes = 0;
  for (let message = messages[start]; message !== undefined; message = messages[start + sizes.length]) {
    const size = bytesOf(message);
    bytes += size + COMMAND_BYTES;
    if (bytes > mostBytes && sizes.length > 0) break;
    sizes.push(size);
    payloads.push(
      typeof message === "string" ? message : Buffer.from(message.buffer, message.byteOffset, message.length),
    );
  }
  return { start, sizes, heard: send(client, channel, payloads) };
}

function answerOf(subscribers: readonly number[], { start, sizes }: Flight): PublishAnswer {
  let bytes = 0;
  const unheard: number[] = [];
  subscribers.forEach((count, index) => {
    bytes += sizes[index] ?? 0;
    if (count === 0) unheard.push(start + index);
  });
  return { messages: subscribers.length, bytes, unheard };
}
