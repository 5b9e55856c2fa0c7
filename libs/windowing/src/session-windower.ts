import { requireMs } from "./require-ms.ts";

/** What divides sessions. */
export interface SessionWindowerOptions {
  /** The longest pause in ms between two events of one session, inclusive: a whole number, at least 0. */
  readonly gapMs: number;
}

/**
 * A session is a key's events without a pause longer than the gap. It is due once the watermark has passed
 * its last event by more than the gap; sessions that come to touch are merged. @throws WindowSpecError
 */
export class SessionWindower {
  readonly kind = "session";
  readonly gapMs: number;

  constructor({ gapMs }: SessionWindowerOptions) {
    this.gapMs = requireMs(gapMs, "gapMs", 0);
  }
}
