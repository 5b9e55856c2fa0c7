import { textOf } from "@millrace/dataflow";
import type { RawLine } from "@millrace/dataflow";
import { FRAME_MARKER, MESSAGE_LIMITS } from "../wire/frame.ts";
import type { ProducerLedger } from "../wire/producer-ledger.ts";
import { EventColumns } from "../wire/event-columns.ts";
import type { DecodedEntries, DeliverLines, EntryDecoder, RefusedEntries } from "./entry-decoder.ts";
import { millisecondsOf } from "./entry-id.ts";
import type { StreamEntry } from "./stream-commands.ts";

const NO_FIELDS: readonly Buffer[] = [];

/** Reads entries whose fields are the event. Such events have no numbers. */
export class FieldsDecoder<T> implements EntryDecoder<T> {
  readonly #deliver: DeliverLines<T>;
  readonly #ledger: ProducerLedger;
  readonly #refused: RefusedEntries;
  readonly #writer = new LineWriter();

  constructor(deliver: DeliverLines<T>, ledger: ProducerLedger, refused: RefusedEntries) {
    this.#deliver = deliver;
    this.#ledger = ledger;
    this.#refused = refused;
  }

  get malformed(): number {
    return this.#refused.count;
  }

  decode(entries: readonly StreamEntry[]): DecodedEntries<T> {
    const columns = new EventColumns<T>();
    let bytes = 0;
    for (const [id, fields] of entries) {
      const size = sizeOf(fields);
      bytes += size;
      if (size > MESSAGE_LIMITS.maxBytes) {
        const message = `the entry has ${size} bytes; at most ${MESSAGE_LIMITS.maxBytes} are allowed`;
        this.#refused.refuse(fields, { code: "too-large", message });
      } else if (isFrame(fields)) {
        this.#refused.refuse(fields, FRAME_IN_FIELDS);
      } else {
        const line = this.#writer.lineOf(fields);
        if (line === undefined) this.#refused.refuse(fields, DUPLICATE_FIELD);
        else {
          const time = millisecondsOf(id);
          this.#ledger.acceptBare(time);
          columns.add(this.#deliver([line], NO_FIELDS), time);
        }
      }
    }
    return { ...columns.columns(), bytes };
  }
}

const DUPLICATE_FIELD = Object.freeze({
  code: "duplicate-field",
  message: "the stream's entry has two fields with the same name",
});
const FRAME_IN_FIELDS = Object.freeze({
  code: "frame-in-fields",
  message:
    "the stream's entry is a frame, whose events are not its fields: read the stream without --stream-entries=fields",
});

/** A name of a field, and what a line has up to the value: `{"user":` or `,"page":`. */
interface FieldName {
  readonly name: Buffer;
  readonly written: string;
}

/** Writes entries as lines of JSON. Entries of a stream mostly have the same names, so those of the last one are kept. */
class LineWriter {
  #names: readonly FieldName[] = [];

  /**
   * `undefined` if two fields have the same name. An entry that is not UTF-8 gives bytes, which decoders refuse like any
   * line that is not.
   */
  lineOf(fields: readonly Buffer[]): RawLine | undefined {
    if (!this.#hasNames(fields)) {
      const names = namesOf(fields);
      if (names === undefined) return hasDuplicate(fields) ? undefined : bytesOf(fields);
      this.#names = names;
    }
    let line = "";
    let at = 1;
    for (const { written } of this.#names) {
      const value = textOf(fields[at] ?? EMPTY);
      if (value === undefined) return bytesOf(fields);
      line += written + JSON.stringify(value);
      at += 2;
    }
    return `${line}}`;
  }

  #hasNames(fields: readonly Buffer[]): boolean {
    if (fields.length !== 2 * this.#names.length) return false;
    return this.#names.every(({ name }, i) => fields[2 * i]?.equals(name) === true);
  }
}

const EMPTY = Buffer.alloc(0);

/** `undefined` if a name occurs twice or is not UTF-8. */
function namesOf(fields: readonly Buffer[]): readonly FieldName[] | undefined {
  if (hasDuplicate(fields)) return undefined;
  const names: FieldName[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    // A copy, because the memory belongs to the socket.
    const name = Buffer.from(fields[i] ?? EMPTY);
    const text = textOf(name);
    if (text === undefined) return undefined;
    names.push({ name, written: `${i === 0 ? "{" : ","}${JSON.stringify(text)}:` });
  }
  return names;
}

function hasDuplicate(fields: readonly Buffer[]): boolean {
  const names = fields.filter((_, i) => i % 2 === 0).map((name) => name.toString("latin1"));
  return new Set(names).size !== names.length;
}

/** Latin-1 has one character for each byte, so it can hold any bytes, and JSON escapes only characters that are ASCII. */
function bytesOf(fields: readonly Buffer[]): Uint8Array {
  const parts = fields.map((field, i) => {
    const before = i === 0 ? "{" : i % 2 === 0 ? "," : ":";
    return before + JSON.stringify(field.toString("latin1"));
  });
  return new Uint8Array(Buffer.from(`${parts.join("")}}`, "latin1"));
}

function sizeOf(fields: readonly Buffer[]): number {
  let size = 0;
  for (const field of fields) size += field.length;
  return size;
}

/** Whether an entry is a frame of a publisher of Millrace: the only field holds it. */
function isFrame(fields: readonly Buffer[]): boolean {
  return fields.length === 2 && fields[1]?.toString("latin1", 0, FRAME_MARKER.length) === FRAME_MARKER;
}
