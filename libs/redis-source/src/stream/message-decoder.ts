import { decodeFrame } from "../wire/decode-frame.ts";
import type { ProducerLedger } from "../wire/producer-ledger.ts";
import type { SuspicionLog } from "../wire/suspicion-log.ts";
import type { LayoutGuard } from "../partitions/layout-record.ts";
import { EventColumns } from "../wire/event-columns.ts";
import { hasName } from "./entry-decoder.ts";
import type { DecodedEntries, DeliverLines, EntryDecoder, RefusedEntries } from "./entry-decoder.ts";
import { millisecondsOf } from "./entry-id.ts";
import type { StreamEntry } from "./stream-commands.ts";

/** Reads the messages in one field of the entries, and drops duplicates. */
export class MessageDecoder<T> implements EntryDecoder<T> {
  readonly #field: Buffer;
  readonly #deliver: DeliverLines<T>;
  readonly #ledger: ProducerLedger;
  readonly #refused: RefusedEntries;
  readonly #suspicions: SuspicionLog;
  readonly #layout: LayoutGuard | undefined;

  constructor(
    field: string,
    deliver: DeliverLines<T>,
    ledger: ProducerLedger,
    suspicions: SuspicionLog,
    layout: LayoutGuard | undefined,
    refused: RefusedEntries,
  ) {
    this.#field = Buffer.from(field);
    this.#deliver = deliver;
    this.#ledger = ledger;
    this.#suspicions = suspicions;
    this.#layout = layout;
    this.#refused = refused;
  }

  get malformed(): number {
    return this.#refused.count;
  }

  decode(entries: readonly StreamEntry[]): DecodedEntries<T> {
    const columns = new EventColumns<T>();
    let bytes = 0;
    for (const [id, fields] of entries) {
      const time = millisecondsOf(id);
      const data = this.#dataOf(fields);
      if (data === undefined) {
        const field = this.#field.toString();
        const message = `the stream's entry has no field "${field}"; name the field of the message (--stream-field), or read the fields as the event (--stream-entries=fields)`;
        this.#refused.refuse(fields, { code: "no-data-field", message, path: field });
        continue;
      }
      bytes += data.length;
      this.#decodeMessage(data, fields, time, columns);
    }
    return { ...columns.columns(), bytes };
  }

  /** The time is the entry's, not this machine's, so that the same entries give the same account when read again. */
  #decodeMessage(data: Buffer, fields: readonly Buffer[], time: number, columns: EventColumns<T>): void {
    const message = decodeFrame(data);
    switch (message.kind) {
      case "bare":
        this.#ledger.acceptBare(time);
        columns.add(this.#deliver(message.lines, fields), time);
        return;
      case "frame": {
        if (message.attributes !== undefined) this.#layout?.hear(message.attributes);
        const verdict = this.#ledger.accept(message, time);
        if (verdict.suspicion !== undefined) this.#suspicions.note(message, verdict);
        const events = this.#deliver(message.lines, fields);
        for (const { from, to } of verdict.fresh) columns.add(events, verdict.publishedAtMs, from, to);
        return;
      }
      case "malformed":
        this.#refused.refuse(data, message.reason);
    }
  }

  #dataOf(fields: readonly Buffer[]): Buffer | undefined {
    for (let i = 0; i + 1 < fields.length; i += 2) {
      if (hasName(fields[i], this.#field)) return fields[i + 1];
    }
    return undefined;
  }
}
