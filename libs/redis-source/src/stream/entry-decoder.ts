import type { PartContext, RawLine } from "@millrace/dataflow";
import type { StreamEntry } from "./stream-commands.ts";

/**
 * How the entries of a stream carry events.
 *
 * - `{ field }`: one field holds a message: bare lines, or a frame. Other fields are ignored, or delivered beside the lines
 *   (`withOrigin`).
 * - `"fields"`: the fields of an entry are an event. It is delivered as a line of JSON, an object whose values are
 *   strings: `XADD events * user 42 page /home` gives `{"user":"42","page":"/home"}`. It has no number.
 */
export type EntryForm = "fields" | { readonly field: string };

/** The field that holds the message, unless another one is configured. */
export const DATA_FIELD = "data";

/** The events of some entries, as columns, and the bytes of their messages. */
export interface DecodedEntries<T> {
  readonly events: readonly T[];
  /** Publish time of the event's frame, or the time of its entry (ms); absent if there is no event. */
  readonly times?: readonly number[];
  readonly bytes: number;
}

/** Turns entries into events. */
export interface EntryDecoder<T> {
  /** Entries that could not be read. They go to the dead letter. */
  readonly malformed: number;
  decode(entries: readonly StreamEntry[]): DecodedEntries<T>;
}

/** What is delivered for the lines of one entry. @param fields all fields of the entry: name, value, name, value, … */
export type DeliverLines<T> = (lines: readonly RawLine[], fields: readonly Buffer[]) => readonly T[];

/** Sends entries to the dead letter, and counts them. */
export class RefusedEntries {
  readonly #reject: PartContext["reject"];
  #count = 0;

  constructor(reject: PartContext["reject"]) {
    this.#reject = reject;
  }

  get count(): number {
    return this.#count;
  }

  /** @param payload the message, or all fields of an entry */
  refuse(payload: Uint8Array | readonly Buffer[], reason: Parameters<PartContext["reject"]>[1]): void {
    this.#count += 1;
    const bytes =
      payload instanceof Uint8Array ? payload : Buffer.concat(payload.flatMap((field) => [field, SPACE]));
    this.#reject(bytes, reason);
  }
}

const SPACE = Buffer.from(" ");

/** Byte by byte: this runs for every entry, and for a few bytes a native call costs more than it saves. */
export function hasName(field: Buffer | undefined, name: Buffer): boolean {
  if (field?.length !== name.length) return false;
  for (let i = 0; i < field.length; i += 1) if (field[i] !== name[i]) return false;
  return true;
}
