import type { Redis } from "ioredis";
import { bytesOf } from "../bytes-of.ts";
import type { Heard, SendTogether } from "./send-together.ts";

/** At least two flights under way keep both ends busy: Redis works on one while the other is written. */
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

/** Messages in a row that are sent together. */
interface Flight {
  readonly start: number;
  readonly payloads: readonly (string | Buffer)[];
  readonly sizes: readonly number[];
  /** With what commands cost. */
  readonly bytes: number;
}

/**
 * Publishes `messages` from index `from` on, in order, and stops when one fails. It never throws.
 *
 * @param onAnswer called once a flight, always for the messages that follow those of the call before
 */
export async function publishAll(
  client: Redis,
  { channel, send, maxInFlightBytes }: PublishTarget,
  messages: readonly (string | Uint8Array)[],
  from: number,
  onAnswer: (answer: PublishAnswer) => void,
): Promise<PublishOutcome> {
  const mostBytes = Math.min(maxInFlightBytes / FEWEST_FLIGHTS, LARGEST_FLIGHT_BYTES);
  const flying: { readonly flight: Flight; readonly heard: Promise<Heard> }[] = [];
  let bytesFlying = 0;
  let next = flightFrom(messages, from, mostBytes);
  for (;;) {
    while (next !== undefined && (flying.length === 0 || bytesFlying + next.bytes <= maxInFlightBytes)) {
      flying.push({ flight: next, heard: send(client, channel, next.payloads) });
      bytesFlying += next.bytes;
      next = flightFrom(messages, endOf(next), mostBytes);
    }
    const first = flying.shift();
    if (first === undefined) return { sent: messages.length, failure: undefined };
    const { subscribers, failure } = await first.heard;
    onAnswer(answerOf(subscribers, first.flight));
    bytesFlying -= first.flight.bytes;
    if (failure === undefined) continue;
    // Those behind may still be taken: who sends them again must not overtake them.
    await Promise.all(flying.map(({ heard }) => heard));
    return { sent: endOf(flying.at(-1)?.flight ?? first.flight), failure };
  }
}

function flightFrom(
  messages: readonly (string | Uint8Array)[],
  start: number,
  mostBytes: number,
): Flight | undefined {
  const sizes: number[] = [];
  const payloads: (string | Buffer)[] = [];
  let bytes = 0;
  for (let message = messages[start]; message !== undefined; message = messages[start + sizes.length]) {
    const size = bytesOf(message);
    if (sizes.length > 0 && bytes + size + COMMAND_BYTES > mostBytes) break;
    bytes += size + COMMAND_BYTES;
    sizes.push(size);
    payloads.push(
      typeof message === "string" ? message : Buffer.from(message.buffer, message.byteOffset, message.length),
    );
  }
  return sizes.length === 0 ? undefined : { start, payloads, sizes, bytes };
}

function endOf({ start, sizes }: Flight): number {
  return start + sizes.length;
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
