import { compareIds } from "./entry-id.ts";
import type { StreamState } from "./stream-commands.ts";

/** How far a stream has been read. */
export interface Place {
  /** The last entry read. */
  readonly id: string;
  /**
   * Entries ever added that are not to be read any more: up to and with that one, and deleted ones behind it as far as
   * they are known of. It is what consumer groups call entries-read. `null`: nobody can tell until the end of the
   * stream has been reached once.
   */
  readonly entries: number | null;
}

/** What a look at the stream says about the way from a place on. */
export interface Outlook {
  /** Where reading goes on: behind what is gone. */
  readonly place: Place;
  /** Entries between the place and what there is to read that were trimmed or deleted unread. */
  readonly lost: number;
  /** The stream is not the one that was read, or an older copy of it. */
  readonly reset: boolean;
}

/**
 * Finds a place in a stream as it is now.
 *
 * Redis keeps no list of what it deleted, but it counts what it ever added. So where all that is left lies ahead, the
 * rest is read or gone; and at the end of the stream everything is. An entry deleted ahead (XDEL) while older ones are
 * still there shows when one of these comes true.
 *
 * @param atEnd whether there was nothing to read behind the place at the instant of `state`
 */
export function lookAhead(place: Place, state: StreamState, atEnd: boolean): Outlook {
  const { id, entries } = place;
  const { added, length, firstId, lastId } = state;
  const read = entries ?? 0;
  // A copy from before the place was reached (a server restarted with less than it had), or a new stream.
  if (read > 0 && compareIds(lastId, id) < 0) return resetTo({ id: lastId, entries: added });
  let reached: number | undefined;
  if (length > 0 && compareIds(firstId, id) > 0) reached = added - length;
  else if (atEnd && compareIds(lastId, id) >= 0) reached = added;
  if (read > added || (reached !== undefined && read > reached)) {
    return resetTo({ id, entries: reached ?? null });
  }
  if (reached === undefined) return { place, lost: 0, reset: false };
  return {
    place: { id: atEnd ? lastId : id, entries: reached },
    lost: entries === null ? 0 : reached - entries,
    reset: false,
  };
}

/** The place of somebody who wants only what is added from now on. */
export function endOf({ lastId, added }: StreamState): Place {
  return { id: lastId, entries: added };
}

function resetTo(place: Place): Outlook {
  return { place, lost: 0, reset: true };
}
