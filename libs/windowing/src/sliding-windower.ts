import { WindowSpecError } from "./errors.ts";
import { FixedWindower } from "./fixed-windower.ts";
import { requireMs } from "./require-ms.ts";

/** Length, distance and origin of sliding windows. */
export interface SlidingWindowerOptions {
  /** Length of each window in ms: a whole number, at least 1. */
  readonly lengthMs: number;
  /** Time in ms from one window's open to the next one's: at least 1, at most `lengthMs`. */
  readonly offsetMs: number;
  /** Any instant (ms since the epoch) at which window 0 opens. @default 0 */
  readonly alignToMs?: number;
}

/** Windows that one event may be in. */
const MAX_OVERLAP = 10_000;

/** Windows that overlap: each event is in every window that is open at its time. @throws WindowSpecError */
export class SlidingWindower extends FixedWindower {
  readonly kind = "sliding";

  constructor({ lengthMs, offsetMs, alignToMs = 0 }: SlidingWindowerOptions) {
    requireMs(lengthMs, "lengthMs", 1);
    requireMs(offsetMs, "offsetMs", 1);
    requireMs(alignToMs, "alignToMs", Number.MIN_SAFE_INTEGER);
    if (offsetMs > lengthMs) {
      throw new WindowSpecError(
        `offsetMs (${String(offsetMs)}) is longer than lengthMs (${String(lengthMs)}): events between two windows ` +
          `would belong to none. Make offsetMs at most lengthMs.`,
      );
    }
    if (lengthMs / offsetMs > MAX_OVERLAP) {
      throw new WindowSpecError(
        `lengthMs (${String(lengthMs)}) is more than ${String(MAX_OVERLAP)} times offsetMs (${String(offsetMs)}): each ` +
          `event would be in as many windows. Make offsetMs longer.`,
      );
    }
    super(lengthMs, offsetMs, alignToMs);
  }
}
