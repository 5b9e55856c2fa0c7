import { getHeapStatistics } from "node:v8";

/**
 * What a key takes of the heap at its most (bytes): its cell, its place among what has changed, and its field of a commit
 * or of a state that is being loaded. Measured with a count per key; what accumulators collect beside has a bound of its own.
 */
const BYTES_PER_KEY = 1_000;
/** The part of the heap that keys may take; the rest is for events on their way. */
const SHARE = 0.5;
/** The part of the heap that what accumulators collect may take: as much again goes by while it is kept or loaded. */
const BYTES_SHARE = 0.2;

/** How many keys this process has room for by the limit of its heap, which `--max-old-space-size` sets. */
export function keysOfHeap(limitBytes: number = getHeapStatistics().heap_size_limit): number {
  return Math.max(Math.floor((limitBytes * SHARE) / BYTES_PER_KEY), 1);
}

/** How many bytes accumulators may take of the heap of this process. */
export function stateBytesOfHeap(limitBytes: number = getHeapStatistics().heap_size_limit): number {
  return Math.floor(limitBytes * BYTES_SHARE);
}
