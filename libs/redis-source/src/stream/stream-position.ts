import type { Json } from "@millrace/dataflow";
import { RedisPositionError } from "../errors.ts";
import { isEntryId } from "./entry-id.ts";
import type { Place } from "./place.ts";

/** What a task keeps to go on from: how far it has read, and which numbers it has seen. */
export interface StreamPosition extends Place {
  readonly ledger: Json | undefined;
}

/** The position as JSON. */
export function writePosition({ id, entries }: Place, ledger: Json): Json {
  return { id, entries, ledger };
}

/** @throws RedisPositionError if a source of another kind, or none, has written it */
export function readPosition(position: Json): StreamPosition {
  if (typeof position === "object" && position !== null && "id" in position) {
    const { id, entries, ledger } = position;
    const counted = entries === null || (Number.isSafeInteger(entries) && Number(entries) >= 0);
    if (typeof id === "string" && isEntryId(id) && counted) {
      return { id, entries: entries === null ? null : Number(entries), ledger };
    }
  }
  throw new RedisPositionError(
    `The stored position ${JSON.stringify(position).slice(0, 100)} is none of a stream, so this source did not write ` +
      "it. Reset the task's state, or give the flow another id.",
  );
}
