import type { DividedPosition, Json } from "@millrace/dataflow";
import { RedisPositionError } from "../errors.ts";
import { isEntryId } from "./entry-id.ts";
import { divideLedger, uniteLedger } from "../wire/ledger-state.ts";
import type { Place, StreamEnd } from "./place.ts";

/** A stream's position in a commit: how far it was read, and which numbers were seen. */
export interface StreamPosition extends Place {
  /** Absent in positions of streams that were never seen. */
  readonly seen: StreamEnd | undefined;
  readonly ledger: Json | undefined;
}

/** The position as JSON. */
export function writePosition({ id, entries }: Place, seen: StreamEnd | undefined, ledger: Json): Json {
  const end = seen === undefined ? null : { added: seen.added, lastId: seen.lastId };
  return { id, entries, seen: end, ledger };
}

/** Divides a position into the place and the fields of the account of numbers. */
export function dividePosition(position: Json): DividedPosition {
  const { ledger = null, ...place } = readPosition(position);
  const { head, fields } = divideLedger(ledger);
  return { head: writePosition(place, place.seen, head), fields };
}

/** Undoes {@link dividePosition}. */
export function unitePosition({ head, fields }: DividedPosition): Json {
  const { ledger = null, ...place } = readPosition(head);
  return writePosition(place, place.seen, uniteLedger({ head: ledger, fields }));
}

/** @throws RedisPositionError if no source of streams wrote it */
export function readPosition(position: Json): StreamPosition {
  if (typeof position === "object" && position !== null && "id" in position) {
    const { id, entries, seen, ledger } = position;
    const counted = entries === null || (Number.isSafeInteger(entries) && Number(entries) >= 0);
    if (typeof id === "string" && isEntryId(id) && counted) {
      return { id, entries: entries === null ? null : Number(entries), seen: readEnd(seen), ledger };
    }
  }
  throw new RedisPositionError(
    `The stored position ${JSON.stringify(position).slice(0, 100)} is not one of a stream, so this source did not write ` +
      "it. Reset the task's state, or give the flow another id.",
  );
}

function readEnd(seen: Json | undefined): StreamEnd | undefined {
  if (typeof seen !== "object" || seen === null || !("added" in seen)) return undefined;
  const { added, lastId } = seen;
  const known = typeof added === "number" && typeof lastId === "string" && isEntryId(lastId);
  return known ? { added, lastId } : undefined;
}
