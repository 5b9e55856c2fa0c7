import { addMergedIds, NO_IDS, type OrdinalWindow, type Window, type WindowId } from "../window.ts";

interface OpenSession {
  open: number;
  close: number;
  mergedIds: readonly WindowId[];
}

/** A session that went into another one. */
export type SessionMerge = readonly [from: number, into: number];

/**
 * The sessions of one key in the time model `perKey`, with Bytewax's rules: ordinals as ids; an event joins the
 * session opened first among those it touches; of sessions that touch, the one earliest in time stays; and a
 * merge notes the ids merged directly, not those merged before.
 */
export class KeySessions {
  nextId: number;
  readonly #gapMs: number;
  readonly #sessions = new Map<number, OpenSession>();

  constructor(gapMs: number, sessions: Iterable<OrdinalWindow> = [], nextId = 0) {
    this.#gapMs = gapMs;
    this.nextId = nextId;
    for (const { id, open, close, mergedIds } of sessions) this.#sessions.set(id, { open, close, mergedIds });
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The sessions as they are, in the order in which they were opened. */
  windows(): OrdinalWindow[] {
    return [...this.#sessions].map(([id, session]) => ({ id, ...session }));
  }

  /** A session by its id; undefined where it is not held. */
  windowOf(id: number): Window | undefined {
    const session = this.#sessions.get(id);
    return session === undefined ? undefined : { id, ...session };
  }

  /** Finds or opens the session of an event. Sessions that touch from then on are left to `merge`. */
  openFor(timestamp: number): number {
    for (const [id, session] of this.#sessions) {
      if (timestamp < session.open - this.#gapMs || timestamp > session.close + this.#gapMs) continue;
      if (timestamp < session.open) session.open = timestamp;
      if (timestamp > session.close) session.close = timestamp;
      return id;
    }
    const id = this.nextId++;
    this.#sessions.set(id, { open: timestamp, close: timestamp, mergedIds: NO_IDS });
    return id;
  }

  /** Merges sessions that touch; tells which went into which, in order. */
  merge(): readonly SessionMerge[] {
    if (this.#sessions.size < 2) return [];
    const merges: SessionMerge[] = [];
    const byOpen = [...this.#sessions].sort(([, a], [, b]) => a.open - b.open);
    let last: (typeof byOpen)[number] | undefined;
    for (const entry of byOpen) {
      const [id, session] = entry;
      if (last === undefined || session.open - last[1].close > this.#gapMs) {
        last = entry;
        continue;
      }
      const [into, target] = last;
      target.close = Math.max(target.close, session.close);
      target.mergedIds = addMergedIds(target.mergedIds, [id]);
      this.#sessions.delete(id);
      merges.push([id, into]);
    }
    return merges;
  }

  /** Forgets a session. */
  remove(id: number): void {
    this.#sessions.delete(id);
  }

  /** The sessions that a watermark closes: those it has passed by more than the gap. */
  due(watermark: number): OrdinalWindow[] {
    return this.windows().filter(({ close }) => watermark > close + this.#gapMs);
  }

  /** The watermark that must be passed for the next session to close; undefined = there is none. */
  nextDue(): number | undefined {
    let next: number | undefined;
    for (const { close } of this.#sessions.values()) {
      if (next === undefined || close + this.#gapMs < next) next = close + this.#gapMs;
    }
    return next;
  }
}
