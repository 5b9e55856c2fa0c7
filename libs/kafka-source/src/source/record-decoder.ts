import { textOf } from "@millrace/dataflow";
import type { PartContext, RawLine } from "@millrace/dataflow";
import { FRAME_MARKER, decodeFrame } from "@millrace/redis-source";
import type { EventColumns, ProducerLedger, SuspicionLog } from "@millrace/redis-source";
import type { RecordCursor } from "./record-batch.ts";

/** What is delivered for the lines of one record. */
export type DeliverLines<T> = (lines: readonly RawLine[], record: RecordCursor) => readonly T[];

/** Turns records into events: bare lines or a frame, whose duplicates are dropped by their numbers. */
export class RecordDecoder<T> {
  readonly #deliver: DeliverLines<T>;
  readonly #ledger: ProducerLedger;
  readonly #suspicions: SuspicionLog;
  readonly #reject: PartContext["reject"];
  #malformed = 0;
  #bare = false;

  constructor(
    deliver: DeliverLines<T>,
    ledger: ProducerLedger,
    suspicions: SuspicionLog,
    reject: PartContext["reject"],
  ) {
    this.#deliver = deliver;
    this.#ledger = ledger;
    this.#suspicions = suspicions;
    this.#reject = reject;
  }

  /** Records that could not be read. They go to the dead letter. */
  get malformed(): number {
    return this.#malformed;
  }

  /** Whether a record without a number came, whose time is that of its producer. */
  get bare(): boolean {
    return this.#bare;
  }

  /** @param byProducer whether the record's time is by its producer's clock, rather than the broker's */
  decode(record: RecordCursor, byProducer: boolean, columns: EventColumns<T>): void {
    const { value, time } = record;
    if (value === undefined) {
      this.#refuse(record.key ?? NOTHING, NO_VALUE);
      return;
    }
    const line = singleLine(value);
    if (line !== undefined) {
      this.#bare ||= byProducer;
      columns.add(this.#deliver([line], record), time < 0 ? Number.NaN : time);
      return;
    }
    const message = decodeFrame(value);
    switch (message.kind) {
      case "bare":
        this.#bare ||= byProducer;
        columns.add(this.#deliver(message.lines, record), time < 0 ? Number.NaN : time);
        return;
      case "frame": {
        const verdict = this.#ledger.accept(message, time < 0 ? message.publishedAtMs : time);
        if (verdict.suspicion !== undefined) this.#suspicions.note(message, verdict);
        const events = this.#deliver(message.lines, record);
        for (const { from, to } of verdict.fresh) columns.add(events, verdict.publishedAtMs, from, to);
        return;
      }
      case "malformed":
        this.#refuse(value, message.reason);
    }
  }

  /** The memory of a record is that of the whole answer, so a copy is rejected. */
  #refuse(payload: Uint8Array, reason: Parameters<PartContext["reject"]>[1]): void {
    this.#malformed += 1;
    this.#reject(new Uint8Array(payload), reason);
  }
}

/** A record of one bare line, which most are; `undefined`: it is something else, or perhaps. */
function singleLine(value: Buffer): string | undefined {
  if (value.length > LONGEST_LINE || value[0] === FIRST_OF_FRAME) return undefined;
  const text = textOf(value);
  return text?.includes("\n") === false ? text : undefined;
}

const LONGEST_LINE = 65_536;
const FIRST_OF_FRAME = FRAME_MARKER.charCodeAt(0);
const NOTHING = Buffer.alloc(0);
const NO_VALUE = Object.freeze({
  code: "no-value",
  message: "the record has no value: it deletes its key from a compacted topic; the payload is the key",
});
