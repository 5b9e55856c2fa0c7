import { KeySessions } from "./per-key/key-sessions.ts";
import { requireMs } from "./require-ms.ts";
import type { OrdinalWindow } from "./window.ts";

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

  /** The sessions of one key by the rules of the time model `perKey`, to place events in without an engine. */
  sessions(held: Iterable<OrdinalWindow> = [], nextId = 0): KeySessions {
    return new KeySessions(this.gapMs, held, nextId);
  }
}
