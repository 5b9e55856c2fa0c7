import { compareIds } from "./entry-id.ts";
import type { StreamState } from "./stream-commands.ts";

/** How far a stream has been read. */
export interface Place {
  /** The last entry read. */
  readonly id: string;
  /**
   * Entries ever added up to and with that one, which is how Redis counts the progress of consumer groups; `null`:
   * nobody can tell until the end of the stream has been reached once.
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
 * Redis keeps no list of what it deleted, but it counts what it ever added. So the number of entries in front of the
 * first one is known if nothing was taken out behind that one, and at the end of the stream the number of all is.
 * What is deleted (XDEL) in the middle shows only there.
 *
 * @param atEnd whether there was nothing to read behind the place at the instant of `state`
 */
export function lookAhead(place: Place, state: StreamState, atEnd: boolean): Outlook {
  const { id, entries } = place;
  const { added, length, firstId, lastId, maxDeletedId } = state;
  const read = entries ?? 0;
  // A copy from before the place was reached (a server restarted with less than it had), or a new stream.
  if (read > 0 && compareIds(lastId, id) < 0) return resetTo({ id: lastId, entries: added });
  const inFront =
    length > 0 && compareIds(firstId, id) > 0 && compareIds(maxDeletedId, firstId) < 0
      ? added - length
      : undefined;
  const reached = atEnd && compareIds(lastId, id) >= 0 ? added : inFront;
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
