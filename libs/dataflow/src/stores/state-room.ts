import { getHeapStatistics } from "node:v8";
import { StateTooLargeError } from "../errors.ts";

/** What a small field of state takes of the heap while it is loaded, at the least, bytes. */
const BYTES_PER_FIELD = 500;
/** The part of the heap that they may take. */
const SHARE = 0.75;

/**
 * Refuses state that this process has no room for, whichever store keeps it: state that another process had the heap for
 * would end this one without a word.
 *
 * @param place where the state is, for people
 * @param fields of all its groups
 * @param heapBytes @default the limit of this process
 * @throws StateTooLargeError
 */
export function requireRoom(
  place: string,
  fields: number,
  heapBytes: number = getHeapStatistics().heap_size_limit,
): void {
  if (fields * BYTES_PER_FIELD <= heapBytes * SHARE) return;
  throw new StateTooLargeError(
    `${place}: the state has ${fields} fields, and the heap of this process may have ${Math.floor(heapBytes / 2 ** 20)} MiB. Give ` +
      "it the heap that the earlier one had (--max-old-space-size), or reset the state.",
  );
}
