import { textOf } from "@millrace/dataflow";
import type { RawLine } from "@millrace/dataflow";
import { FRAME_MARKER, MESSAGE_LIMITS } from "../wire/frame.ts";
import type { ProducerLedger } from "../wire/producer-ledger.ts";
import { EventColumns } from "../wire/event-columns.ts";
import { hasName } from "./entry-decoder.ts";
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

/** A name of a field, and what a line has from the value before it up to its own: `{"user":"` or `","page":"`. */
interface FieldName {
  readonly name: Buffer;
  readonly written: Buffer;
}

/** Writes entries as lines of JSON. Entries of a stream mostly have the same names, so those of the last one are kept. */
class LineWriter {
  #names: readonly FieldName[] = [];
  #line = Buffer.allocUnsafe(1_024);

  /**
   * `undefined` if two fields have the same name. An entry that is not UTF-8 gives bytes, which decoders refuse like any
   * line that is not.
   */
  lineOf(fields: readonly Buffer[]): RawLine | undefined {
    if (!this.#hasNames(fields)) {
      const names = namesOf(fields);
      if (names === undefined) return undefined;
      this.#names = names;
    }
    const length = this.#write(fields);
    const line = length === undefined ? escapedLine(fields) : this.#line.subarray(0, length);
    return textOf(line) ?? new Uint8Array(line);
  }

  #hasNames(fields: readonly Buffer[]): boolean {
    if (fields.length !== 2 * this.#names.length) return false;
    return this.#names.every(({ name }, i) => hasName(fields[2 * i], name));
  }

  /** Returns the line's length; `undefined`: a value needs escapes. */
  #write(fields: readonly Buffer[]): number | undefined {
    let room = END.length;
    for (const { written } of this.#names) room += written.length;
    room += sizeOf(fields);
    if (this.#line.length < room) this.#line = Buffer.allocUnsafe(2 * room);
    const line = this.#line;
    let at = 0;
    for (let i = 0; i < this.#names.length; i += 1) {
      at += this.#names[i]?.written.copy(line, at) ?? 0;
      const value = fields[2 * i + 1] ?? NOTHING;
      // Byte by byte: for short values a native call costs more than it saves.
      for (let j = 0; j < value.length; j += 1) {
        const byte = value[j] ?? QUOTE;
        if (byte < FIRST_PRINTABLE || byte === QUOTE || byte === BACKSLASH) return undefined;
        line[at + j] = byte;
      }
      at += value.length;
    }
    return at + END.copy(line, at);
  }
}

const NOTHING = Buffer.alloc(0);
const END = Buffer.from('"}');
const FIRST_PRINTABLE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** `undefined` if a name occurs twice. */
function namesOf(fields: readonly Buffer[]): readonly FieldName[] | undefined {
  const names = fields.filter((_, i) => i % 2 === 0);
  if (new Set(names.map(latin1)).size !== names.length) return undefined;
  return names.map((name, i) => ({
    // A copy, because the memory belongs to the socket.
    name: Buffer.from(name),
    written: Buffer.from(`${i === 0 ? "{" : '",'}${JSON.stringify(latin1(name))}:"`, "latin1"),
  }));
}

function escapedLine(fields: readonly Buffer[]): Buffer {
  const parts = fields.map((field, i) => {
    const before = i === 0 ? "{" : i % 2 === 0 ? "," : ":";
    return before + JSON.stringify(latin1(field));
  });
  return Buffer.from(`${parts.join("")}}`, "latin1");
}

/** Latin-1 has one character for each byte, so it can hold any bytes, and JSON escapes only characters that are ASCII. */
function latin1(bytes: Buffer): string {
  return bytes.toString("latin1");
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
