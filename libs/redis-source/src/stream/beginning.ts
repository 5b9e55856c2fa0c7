import { timeOf } from "@millrace/dataflow";
import { BEFORE_ALL, compareIds, isEntryId, millisecondsOf } from "./entry-id.ts";
import { detectGap, endOf } from "./place.ts";
import type { StreamState } from "./stream-commands.ts";
import type { StreamPosition } from "./stream-position.ts";
import type { StreamStart } from "./stream-source-options.ts";

/** The sequence number after which an id has the next millisecond. */
const LAST_SEQUENCE = "18446744073709551615";

/** Where a task without a commit begins to read. */
export interface Beginning {
  readonly position: StreamPosition;
  /** What was trimmed or deleted, if entries that should be read may have been among it. Times in ms. */
  readonly gone: { readonly entries: number; readonly from: number; readonly to: number } | undefined;
}

/**
 * Finds where reading begins in a stream, and from which time on it reads all. An entry's time is that of its id: when it
 * was added.
 *
 * @param now from which on (ms) a stream that has never had an entry gets any
 */
export function beginningOf(start: StreamStart, state: StreamState, now: number): Beginning {
  const fromAll = start === "committed" || start === "earliest";
  const id = fromAll ? BEFORE_ALL : lastLeftOut(start);
  const atEnd = state.length === 0 || compareIds(state.lastId, id) <= 0;
  const place =
    start === "latest" ? endOf(state) : detectGap({ id, entries: null }, undefined, state, atEnd).place;
  const { wholeFrom, gone } =
    start === "latest" || fromAll ? { wholeFrom: undefined, gone: undefined } : missedBy(id, state, now);
  // With the stream as it is now, entries that are deleted before they are read count as lost.
  return { position: { ...place, seen: state, ledger: undefined, wholeFrom }, gone };
}

/** From which time on all entries are read, and what is gone before it. @param id the last one that is left out */
function missedBy(
  id: string,
  { length, added, firstId, lastId }: StreamState,
  now: number,
): Pick<Beginning, "gone"> & { readonly wholeFrom: number | undefined } {
  const from = timeAfter(id);
  const first = length === 0 ? lastId : firstId;
  const deleted = added - length;
  if (added === 0) return { wholeFrom: from <= now ? undefined : from, gone: undefined };
  if (compareIds(first, id) <= 0) return { wholeFrom: from, gone: undefined };
  if (deleted === 0) return { wholeFrom: undefined, gone: undefined };
  // Of one millisecond some may be left.
  const to = timeAfter(first);
  return { wholeFrom: to, gone: { entries: deleted, from, to } };
}

/** The highest id that is not read any more. */
function lastLeftOut(start: string): string {
  if (isEntryId(start)) return start;
  const time = timeOf(start);
  return time <= 0 ? BEFORE_ALL : `${time - 1}-${LAST_SEQUENCE}`;
}

/** From which time on (ms) all entries come after an id; −Infinity: none comes before it. */
export function wholeAfter(id: string): number {
  return id === BEFORE_ALL ? Number.NEGATIVE_INFINITY : timeAfter(id);
}

/** The first millisecond whose entries all come after an id. */
function timeAfter(id: string): number {
  return millisecondsOf(Buffer.from(id)) + (id === BEFORE_ALL ? 0 : 1);
}
