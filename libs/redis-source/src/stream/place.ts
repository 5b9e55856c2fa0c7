import { compareIds } from "./entry-id.ts";
import type { StreamState } from "./stream-commands.ts";

/** How far a stream has been read. */
export interface Place {
  /** The last entry read. */
  readonly id: string;
  /**
   * How many of the entries ever added need no more reading: those up to and including that one, and known deleted ones
   * after it. Consumer groups call it entries-read. `null`: not known until the end of the stream has been reached once.
   */
  readonly entries: number | null;
}

/** The end of a stream as it was last seen. */
export interface StreamEnd {
  /** Entries ever added. */
  readonly added: number;
  /** The id of the last entry ever added. */
  readonly lastId: string;
}

/** The result of {@link detectGap}. */
export interface GapCheck {
  /** Where reading continues: after the entries that are gone. */
  readonly place: Place;
  /**
   * Entries that are gone unread. Exact if they were trimmed or deleted between the place and the next entry; a lower
   * bound if the stream itself was deleted, since entries added after the last check were not counted.
   */
  readonly lost: number;
  /** Whether the stream is another one than before, or an older copy of it. */
  readonly reset: boolean;
}

/**
 * Finds out which entries after a place are gone, and where reading continues.
 *
 * Redis keeps no list of what it deleted, but it counts what was ever added. So if every entry that is left is after the
 * place, all others are read or gone; and at the end of the stream all entries are. An entry deleted ahead (XDEL) while
 * older ones are still there shows when one of these becomes true. A stream that was deleted, or is an older copy (after
 * a failover, or a restart with less data), shows by a count or an id that went back.
 *
 * @param before the stream's end when it was last seen; `undefined`: it was not seen
 * @param atEnd whether there was nothing to read after the place when `state` was read
 */
export function detectGap(
  place: Place,
  before: StreamEnd | undefined,
  state: StreamState,
  atEnd: boolean,
): GapCheck {
  const { id, entries } = place;
  const { added, length, firstId, lastId } = state;
  const read = entries ?? 0;
  const unread = entries === null ? 0 : Math.max((before?.added ?? 0) - read, 0);
  const reset = (to: Place, lost = unread): GapCheck => ({ place: to, lost, reset: true });
  if (before !== undefined && isAnother(before, state)) {
    return reset({ id: length === 0 ? lastId : id, entries: 0 });
  }
  // An older copy, from before the place was reached.
  if (read > 0 && compareIds(lastId, id) < 0) return reset({ id: lastId, entries: added });
  let reached: number | undefined;
  if (length > 0 && compareIds(firstId, id) > 0) reached = added - length;
  else if (atEnd && compareIds(lastId, id) >= 0) reached = added;
  if (read > added || (reached !== undefined && read > reached)) {
    return reset({ id, entries: reached ?? null });
  }
  const ahead = reached === undefined ? place : { id: atEnd ? lastId : id, entries: reached };
  const gone = reached === undefined || entries === null ? 0 : reached - entries;
  // An older copy, but not from before the place: some entries after it are missing.
  if (before !== undefined && added < before.added) {
    return reset(ahead, gone + (entries === null ? 0 : before.added - added));
  }
  return { place: ahead, lost: gone, reset: false };
}

/** The place of a reader that wants only new entries. */
export function endOf({ lastId, added }: StreamState): Place {
  return { id: lastId, entries: added };
}

/** Whether it is another stream: nothing was ever deleted from it, and yet it has no entry of the one before. */
function isAnother(before: StreamEnd, { added, length, firstId }: StreamState): boolean {
  if (before.added === 0 || length !== added) return false;
  return length === 0 || compareIds(firstId, before.lastId) > 0;
}
