import type { PartContext, RawLine } from "@millrace/dataflow";
import type { FrameCodec } from "../delivery/frame-codec.ts";
import type { ProducerLedger } from "../delivery/producer-ledger.ts";
import { LINE_CODEC } from "../pubsub/message-codec.ts";
import { millisecondsOf } from "./entry-id.ts";
import type { StreamEntry } from "./stream-commands.ts";

/** The field of an entry that holds its message. */
export const DATA_FIELD = "data";

const DATA_FIELD_BYTES = Buffer.from(DATA_FIELD);

/** Events of some entries, as columns, and what they took up. */
export interface DecodedEntries {
  readonly events: RawLine[];
  /** Publish time of the event's frame, or the time of its entry (ms). */
  readonly times: number[];
  readonly bytes: number;
}

/** Turns entries into events, and drops what a producer has sent twice. */
export class MessageDecoder {
  readonly #codec: FrameCodec | undefined;
  readonly #ledger: ProducerLedger;
  readonly #reject: PartContext["reject"];
  #malformed = 0;

  /** @param codec absent: messages are bare lines, and no numbers are looked for */
  constructor(codec: FrameCodec | undefined, ledger: ProducerLedger, reject: PartContext["reject"]) {
    this.#codec = codec;
    this.#ledger = ledger;
    this.#reject = reject;
  }

  /** Entries that held no message, or none that can be read; the dead letter has them. */
  get malformed(): number {
    return this.#malformed;
  }

  decode(entries: readonly StreamEntry[]): DecodedEntries {
    const events: RawLine[] = [];
    const times: number[] = [];
    let bytes = 0;
    for (const [id, fields] of entries) {
      const time = millisecondsOf(id);
      const data = dataOf(fields);
      if (data === undefined) {
        this.#refuse(Buffer.concat(fields.flatMap((field) => [field, SPACE])), NO_DATA);
        continue;
      }
      bytes += data.length;
      if (this.#codec === undefined) {
        const lines = LINE_CODEC.split(data);
        if (typeof lines === "string" || lines instanceof Uint8Array) {
          events.push(lines);
          times.push(time);
        } else {
          append(lines, 0, lines.length, time, events, times);
        }
      } else {
        this.#decodeMessage(this.#codec, data, time, events, times);
      }
    }
    return { events, times, bytes };
  }

  /** Time is the entry's, not this machine's: read again, the same entries give the same account. */
  #decodeMessage(codec: FrameCodec, data: Buffer, time: number, events: RawLine[], times: number[]): void {
    const message = codec.decodeFrame(data);
    switch (message.kind) {
      case "bare":
        this.#ledger.acceptBare(time);
        append(message.lines, 0, message.lines.length, time, events, times);
        return;
      case "frame":
        for (const { from, to } of this.#ledger.accept(message, time).fresh) {
          append(message.lines, from, to, message.publishedAtMs, events, times);
        }
        return;
      case "malformed":
        this.#refuse(data, message.reason);
    }
  }

  #refuse(payload: Uint8Array, reason: Parameters<PartContext["reject"]>[1]): void {
    this.#malformed += 1;
    this.#reject(payload, reason);
  }
}

const SPACE = Buffer.from(" ");
const NO_DATA = Object.freeze({
  code: "no-data-field",
  message: `the stream's entry has no field "${DATA_FIELD}"`,
  path: DATA_FIELD,
});

function dataOf(fields: readonly Buffer[]): Buffer | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.equals(DATA_FIELD_BYTES) === true) return fields[i + 1];
  }
  return undefined;
}

function append(
  lines: readonly RawLine[],
  from: number,
  to: number,
  time: number,
  events: RawLine[],
  times: number[],
): void {
  for (let i = from; i < to; i += 1) {
    const line = lines[i];
    if (line === undefined) return;
    events.push(line);
    times.push(time);
  }
}
