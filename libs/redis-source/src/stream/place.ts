import { compareIds } from "./entry-id.ts";
import type { StreamState } from "./stream-commands.ts";

/** How far a stream has been read. */
export interface Place {
  /** The last entry read. */
  readonly id: string;
  /**
   * Entries ever added that are not to be read any more: up to and with that one, and deleted ones after it as far as
   * they are known of. It is what consumer groups call entries-read. `null`: nobody can tell until the end of the
   * stream has been reached once.
   */
  readonly entries: number | null;
}

/** The end of a stream as it was last seen. */
export interface StreamEnd {
  /** Entries ever added. */
  readonly added: number;
  /** Of the last entry ever added. */
  readonly lastId: string;
}

/** What a look at the stream says about the way from a place on. */
export interface Outlook {
  /** Where reading goes on: after what is gone. */
  readonly place: Place;
  /**
   * Entries that went unread: exact for those trimmed or deleted between the place and what there is to read; at least
   * so many where the stream itself was deleted, since what was added after the last look nobody has counted.
   */
  readonly lost: number;
  /** The stream is not the one that was seen before, or an older copy of it. */
  readonly reset: boolean;
}

/**
 * Finds a place in a stream as it is now.
 *
 * Redis keeps no list of what it deleted, but it counts what it ever added. So where all that is left lies ahead, the
 * rest is read or gone; and at the end of the stream everything is. An entry deleted ahead (XDEL) while older ones are
 * still there shows when one of these comes true. That the stream was deleted, or is an older copy (a failover, a
 * server restarted with less than it had), shows by a count or an id that went back.
 *
 * @param before the stream's end when it was last seen; `undefined`: it was not
 * @param atEnd whether there was nothing to read after the place at the instant of `state`
 */
export function lookAhead(
  place: Place,
  before: StreamEnd | undefined,
  state: StreamState,
  atEnd: boolean,
): Outlook {
  const { id, entries } = place;
  const { added, length, firstId, lastId } = state;
  const read = entries ?? 0;
  const unread = entries === null ? 0 : Math.max((before?.added ?? 0) - read, 0);
  const reset = (to: Place, lost = unread): Outlook => ({ place: to, lost, reset: true });
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
  // An older copy, but not from before the place: some of what lay ahead of it is missing.
  if (before !== undefined && added < before.added) {
    return reset(ahead, gone + (entries === null ? 0 : before.added - added));
  }
  return { place: ahead, lost: gone, reset: false };
}

/** The place of somebody who wants only what is added from now on. */
export function endOf({ lastId, added }: StreamState): Place {
  return { id: lastId, entries: added };
}

/** Nothing was ever deleted in it, and yet there is nothing in it that was in the one before. */
function isAnother(before: StreamEnd, { added, length, firstId }: StreamState): boolean {
  if (before.added === 0 || length !== added) return false;
  return length === 0 || compareIds(firstId, before.lastId) > 0;
}
