import type { Redis } from "ioredis";
import { bytesOf } from "../bytes-of.ts";
import { isReply } from "../connection/explain-failure.ts";
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

/** What Redis took of some messages that were sent together, by their indexes. */
export interface PublishAnswer {
  readonly taken: readonly number[];
  /** Those of them that no subscriber got. */
  readonly unheard: readonly number[];
  readonly bytes: number;
}

/** How a call of {@link publishAll} ended. */
export interface PublishOutcome {
  /** Indexes of the messages that were sent and not taken, in order. */
  readonly refused: readonly number[];
  /** Those of them that had no answer: Redis may have taken them all the same. */
  readonly unanswered: readonly number[];
  /** Indexes of those that were not sent, in order. */
  readonly unsent: readonly number[];
  /** Why the first of them was not taken; `undefined`: all were. */
  readonly failure: Error | undefined;
}

/** Messages that are sent together. */
interface Flight {
  readonly indexes: readonly number[];
  readonly payloads: readonly (string | Buffer)[];
  readonly sizes: readonly number[];
  /** With what commands cost. */
  readonly bytes: number;
}

/**
 * Publishes the messages with these indexes, in order, and stops when one fails. It never throws.
 *
 * @param onAnswer called once a flight
 */
export async function publishAll(
  client: Redis,
  { channel, send, maxInFlightBytes }: PublishTarget,
  messages: readonly (string | Uint8Array)[],
  indexes: readonly number[],
  onAnswer: (answer: PublishAnswer) => void,
): Promise<PublishOutcome> {
  const mostBytes = Math.min(maxInFlightBytes / FEWEST_FLIGHTS, LARGEST_FLIGHT_BYTES);
  const flying: { readonly flight: Flight; readonly heard: Promise<Heard> }[] = [];
  let bytesFlying = 0;
  let sent = 0;
  const refused: number[] = [];
  const unanswered: number[] = [];
  let failure: Error | undefined;
  let next = flightFrom(messages, indexes, sent, mostBytes);
  for (;;) {
    while (
      next !== undefined &&
      failure === undefined &&
      (flying.length === 0 || bytesFlying + next.bytes <= maxInFlightBytes)
    ) {
      flying.push({ flight: next, heard: send(client, channel, next.payloads) });
      bytesFlying += next.bytes;
      sent += next.indexes.length;
      next = flightFrom(messages, indexes, sent, mostBytes);
    }
    // After a failure the flights that are under way may still be taken: what is sent again must not overtake them.
    const first = flying.shift();
    if (first === undefined) return { refused, unanswered, unsent: indexes.slice(sent), failure };
    const heard = await first.heard;
    onAnswer(answerOf(heard.subscribers, first.flight));
    first.flight.indexes.forEach((index, i) => {
      if (heard.subscribers[i] !== undefined) return;
      refused.push(index);
      if (!isReply(heard.failure)) unanswered.push(index);
    });
    failure ??= heard.failure;
    bytesFlying -= first.flight.bytes;
  }
}

function flightFrom(
  messages: readonly (string | Uint8Array)[],
  all: readonly number[],
  from: number,
  mostBytes: number,
): Flight | undefined {
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
      typeof message === "string" ? message : Buffer.from(message.buffer, message.byteOffset, message.length),
    );
  }
  return sizes.length === 0 ? undefined : { indexes, payloads, sizes, bytes };
}

function answerOf(subscribers: readonly (number | undefined)[], { indexes, sizes }: Flight): PublishAnswer {
  const taken: number[] = [];
  const unheard: number[] = [];
  let bytes = 0;
  indexes.forEach((index, i) => {
    const count = subscribers[i];
    if (count === undefined) return;
    taken.push(index);
    bytes += sizes[i] ?? 0;
    if (count === 0) unheard.push(index);
  });
  return { taken, unheard, bytes };
}
