import type { PartContext, RawLine } from "@millrace/dataflow";
import { decodeFrame } from "../wire/decode-frame.ts";
import type { ProducerLedger } from "../wire/producer-ledger.ts";
import type { SuspicionLog } from "../wire/suspicion-log.ts";
import type { LayoutGuard } from "../partitions/layout-record.ts";
import { EventColumns } from "../wire/event-columns.ts";
import { millisecondsOf } from "./entry-id.ts";
import type { StreamEntry } from "./stream-commands.ts";

/** The field of an entry that holds its message. */
export const DATA_FIELD = "data";

const DATA_FIELD_BYTES = Buffer.from(DATA_FIELD);

/** The events of some entries, as columns, and the bytes of their messages. */
export interface DecodedEntries {
  readonly events: readonly RawLine[];
  /** Publish time of the event's frame, or the time of its entry (ms); absent if there is no event. */
  readonly times?: readonly number[];
  readonly bytes: number;
}

/** Turns entries into events, and drops duplicates. */
export class MessageDecoder {
  readonly #ledger: ProducerLedger;
  readonly #reject: PartContext["reject"];
  readonly #suspicions: SuspicionLog;
  readonly #layout: LayoutGuard | undefined;
  #malformed = 0;

  constructor(
    ledger: ProducerLedger,
    suspicions: SuspicionLog,
    layout: LayoutGuard | undefined,
    reject: PartContext["reject"],
  ) {
    this.#ledger = ledger;
    this.#suspicions = suspicions;
    this.#layout = layout;
    this.#reject = reject;
  }

  /** Entries without a message, or with one that cannot be read. They go to the dead letter. */
  get malformed(): number {
    return this.#malformed;
  }

  decode(entries: readonly StreamEntry[]): DecodedEntries {
    const columns = new EventColumns();
    let bytes = 0;
    for (const [id, fields] of entries) {
      const time = millisecondsOf(id);
      const data = dataOf(fields);
      if (data === undefined) {
        this.#refuse(Buffer.concat(fields.flatMap((field) => [field, SPACE])), NO_DATA);
        continue;
      }
      bytes += data.length;
      this.#decodeMessage(data, time, columns);
    }
    return { ...columns.columns(), bytes };
  }

  /** The time is the entry's, not this machine's, so that the same entries give the same account when read again. */
  #decodeMessage(data: Buffer, time: number, columns: EventColumns): void {
    const message = decodeFrame(data);
    switch (message.kind) {
      case "bare":
        this.#ledger.acceptBare(time);
        columns.add(message.lines, time);
        return;
      case "frame": {
        if (message.attributes !== undefined) this.#layout?.hear(message.attributes);
        const verdict = this.#ledger.accept(message, time);
        if (verdict.suspicion !== undefined) this.#suspicions.note(message, verdict);
        for (const { from, to } of verdict.fresh) columns.add(message.lines, verdict.publishedAtMs, from, to);
        return;
      }
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
    if (isDataField(fields[i])) return fields[i + 1];
  }
  return undefined;
}

/** Byte by byte: this runs for every entry, and for four bytes a native call costs more than it saves. */
function isDataField(field: Buffer | undefined): boolean {
  if (field?.length !== DATA_FIELD_BYTES.length) return false;
  for (let i = 0; i < field.length; i += 1) if (field[i] !== DATA_FIELD_BYTES[i]) return false;
  return true;
}
