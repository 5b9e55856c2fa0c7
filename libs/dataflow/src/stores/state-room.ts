import { getHeapStatistics } from "node:v8";
import { StateTooLargeError } from "../errors.ts";

/** Minimum heap of a small field of state while it is loaded, bytes. */
const BYTES_PER_FIELD = 500;
/** The part of the heap for these fields. */
const SHARE = 0.75;

/**
 * Refuses state that does not fit into this process, for every store: loading state that was written by a process with
 * a larger heap would end this one without a message.
 *
 * @param place where the state is, for the message
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
