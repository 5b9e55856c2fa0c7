import { getHeapStatistics } from "node:v8";

/**
 * Heap per key at most (bytes): its cell, its entry among the changes, and its field of a commit or of a state that is
 * loaded. Measured with a count per key; what accumulators collect has its own bound.
 */
const BYTES_PER_KEY = 1_000;
/** The part of the heap for keys; the rest is for events in-flight. */
const SHARE = 0.5;
/** The part of the heap for what accumulators collect: storing or loading them needs as much again. */
const BYTES_SHARE = 0.2;

/** How many keys fit into this process, from the limit of its heap (`--max-old-space-size`). */
export function keysOfHeap(limitBytes: number = getHeapStatistics().heap_size_limit): number {
  return Math.max(Math.floor((limitBytes * SHARE) / BYTES_PER_KEY), 1);
}

/** How many bytes of this process's heap accumulators may take. */
export function stateBytesOfHeap(limitBytes: number = getHeapStatistics().heap_size_limit): number {
  return Math.floor(limitBytes * BYTES_SHARE);
}
