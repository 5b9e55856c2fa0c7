import type { Redis } from "ioredis";
import { BEFORE_ALL } from "./entry-id.ts";

/** One entry as received: its id, then field, value, field, value, … */
export type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/** The state of a stream at one instant. */
export interface StreamState {
  readonly length: number;
  /** Entries ever added. */
  readonly added: number;
  /** The id of the first entry; `0-0` if there is none. */
  readonly firstId: string;
  /** The id of the last entry ever added. */
  readonly lastId: string;
  /** The highest id of an entry that was ever deleted by XDEL; `undefined`: the server does not report it. */
  readonly deletedUpTo: string | undefined;
}

const ABSENT: StreamState = Object.freeze({
  length: 0,
  added: 0,
  firstId: BEFORE_ALL,
  lastId: BEFORE_ALL,
  deletedUpTo: BEFORE_ALL,
});

/** Reads a stream's state; a stream that does not exist is empty. */
export async function readState(client: Redis, stream: string): Promise<StreamState> {
  // In a transaction the error is part of the answer; outside it is thrown.
  return stateOf(await client.callBuffer("XINFO", "STREAM", stream).catch((error: unknown) => error));
}

/** A stream's state and the entries after `id`, at the same instant. */
export async function readWithState(
  client: Redis,
  stream: string,
  id: string,
  count: number,
): Promise<{ readonly state: StreamState; readonly entries: readonly StreamEntry[] }> {
  const replies = await Promise.all([
    client.call("MULTI"),
    client.call("XINFO", "STREAM", stream),
    client.call("XREAD", "COUNT", count, "STREAMS", stream, id),
    client.callBuffer("EXEC"),
  ]);
  const [info, read] = listOf(replies[3]);
  return { state: stateOf(info), entries: entriesOf(read) };
}

/** Waits up to `blockMs` for entries after `id`; none: the time was over. */
export async function waitForEntries(
  client: Redis,
  stream: string,
  id: string,
  count: number,
  blockMs: number,
): Promise<readonly StreamEntry[]> {
  return entriesOf(await client.callBuffer("XREAD", "COUNT", count, "BLOCK", blockMs, "STREAMS", stream, id));
}

/** Whether there is any entry after `id`. */
export async function hasMore(client: Redis, stream: string, id: string): Promise<boolean> {
  const reply = await client.callBuffer("XREAD", "COUNT", 1, "STREAMS", stream, id);
  return entriesOf(reply).length > 0;
}

/** A reply of name, value, name, value, … as a map; values are unchanged. */
export function fieldsOf(reply: unknown): ReadonlyMap<string, unknown> {
  const fields = new Map<string, unknown>();
  const flat = listOf(reply);
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(textOf(flat[i]), flat[i + 1]);
  return fields;
}

/** The text of a reply of text or bytes. @throws TypeError for anything else: an unknown kind of server */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  throw new TypeError(`Redis answered ${typeof value} where text was expected.`);
}

export function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  throw new TypeError(`Redis answered ${typeof value} where a number was expected.`);
}

export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`Redis answered ${typeof value} where a list was expected.`);
}

function stateOf(info: unknown): StreamState {
  if (info instanceof Error) {
    if (info.message.includes("no such key")) return ABSENT;
    throw info;
  }
  const fields = fieldsOf(info);
  const deletedUpTo = fields.get("max-deleted-entry-id");
  return {
    length: numberOf(fields.get("length")),
    added: numberOf(fields.get("entries-added")),
    firstId: textOf(fields.get("recorded-first-entry-id")),
    lastId: textOf(fields.get("last-generated-id")),
    deletedUpTo: deletedUpTo === undefined ? undefined : textOf(deletedUpTo),
  };
}

function entriesOf(reply: unknown): readonly StreamEntry[] {
  if (reply === null) return [];
  const [stream] = listOf(reply);
  const [, entries] = listOf(stream);
  return listOf(entries).map((entry) => {
    if (isEntry(entry)) return entry;
    throw new TypeError("Redis answered something else where an entry was expected.");
  });
}

// Only its two parts are checked: this runs for every entry.
function isEntry(entry: unknown): entry is StreamEntry {
  return Array.isArray(entry) && entry[0] instanceof Uint8Array && Array.isArray(entry[1]);
}
