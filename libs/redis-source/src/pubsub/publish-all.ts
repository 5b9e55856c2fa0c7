import type { Redis } from "ioredis";
import { bytesOf } from "../bytes-of.ts";

/** Two pipelines in flight keep both ends busy: Redis works on one while the other is written. */
const FLIGHTS = 2;
/** What a command costs besides its row, so that a flight of empty rows has an end. */
const COMMAND_BYTES = 64;

/** What Redis answered for some rows in a row. */
export interface PublishAnswer {
  readonly rows: number;
  readonly bytes: number;
  /** Rows that no subscriber got. */
  readonly unheard: number;
}

/** How a call of {@link publishAll} ended. */
export interface PublishOutcome {
  /** Index behind the last row that was sent. */
  readonly sent: number;
  /** Why the rest has no answer; `undefined` if every row was answered. */
  readonly failure: Error | undefined;
}

interface Flight {
  readonly end: number;
  readonly sizes: readonly number[];
  readonly replies: Promise<[error: Error | null, result: unknown][] | null>;
}

/**
 * Publishes `rows` from index `from` on, in order, with at most `maxInFlightBytes` unanswered (a larger row goes
 * alone), and stops at the first row that fails. It never throws.
 *
 * @param onAnswer called once a pipeline, always for the rows that follow those of the call before
 */
export async function publishAll(
  client: Redis,
  channel: string,
  rows: readonly (string | Uint8Array)[],
  from: number,
  maxInFlightBytes: number,
  onAnswer: (answer: PublishAnswer) => void,
): Promise<PublishOutcome> {
  const flying: Flight[] = [];
  let sent = from;
  for (;;) {
    while (sent < rows.length && flying.length < FLIGHTS) {
      const flight = takeOff(client, channel, rows, sent, maxInFlightBytes / FLIGHTS);
      flying.push(flight);
      sent = flight.end;
    }
    const flight = flying.shift();
    if (flight === undefined) return { sent, failure: undefined };
    const { answer, failure } = readReplies(await flight.replies, flight.sizes);
    onAnswer(answer);
    // The flight behind has failed for the same reason; its promise does not reject.
    if (failure !== undefined) return { sent, failure };
  }
}

function takeOff(
  client: Redis,
  channel: string,
  rows: readonly (string | Uint8Array)[],
  start: number,
  maxBytes: number,
): Flight {
  const pipeline = client.pipeline();
  const sizes: number[] = [];
  let end = start;
  let bytes = 0;
  for (let row = rows[end]; row !== undefined; row = rows[end]) {
    const size = bytesOf(row);
    bytes += size + COMMAND_BYTES;
    if (bytes > maxBytes && end > start) break;
    sizes.push(size);
    pipeline.publish(
      channel,
      typeof row === "string" ? row : Buffer.from(row.buffer, row.byteOffset, row.length),
    );
    end += 1;
  }
  return { end, sizes, replies: pipeline.exec() };
}

function readReplies(
  replies: readonly [error: Error | null, result: unknown][] | null,
  sizes: readonly number[],
): { answer: PublishAnswer; failure: Error | undefined } {
  let rows = 0;
  let bytes = 0;
  let unheard = 0;
  for (const [failure, subscribers] of replies ?? []) {
    if (failure !== null) return { answer: { rows, bytes, unheard }, failure };
    bytes += sizes[rows] ?? 0;
    rows += 1;
    if (subscribers === 0) unheard += 1;
  }
  return { answer: { rows, bytes, unheard }, failure: undefined };
}
