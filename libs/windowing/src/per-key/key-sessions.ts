import { IntervalList } from "../interval-list.ts";
import { MAX_MERGED_IDS, NO_IDS, type OrdinalWindow, type Window, type WindowId } from "../window.ts";

interface OpenSession {
  readonly id: number;
  open: number;
  last: number;
  mergedIds: readonly WindowId[];
  merged: number;
}

/** The ids of a merged session and of the session that absorbed it. */
export type SessionMerge = readonly [from: number, into: number];

/**
 * The sessions of one key in the time model `perKey`, with Bytewax's rules: ordinals as ids; an event joins the session
 * that was opened first among those it touches; of sessions that touch, the one earliest in time stays; and a merge
 * records the ids merged directly, not those merged before.
 */
export class KeySessions {
  nextId: number;
  readonly #gapMs: number;
  readonly #byId = new Map<number, OpenSession>();
  /** Sessions further apart than the gap, except for one that the last event has extended. */
  readonly #byTime = new IntervalList<OpenSession>();
  #grown: OpenSession | undefined;
  /** Restored sessions that touch an earlier one, in order of time. */
  #touching: OpenSession[] = [];

  constructor(gapMs: number, sessions: Iterable<OrdinalWindow> = [], nextId = 0) {
    this.#gapMs = gapMs;
    this.nextId = nextId;
    for (const { id, open, close, mergedIds, merged = 0 } of sessions) {
      this.#byId.set(id, { id, open, last: close, mergedIds, merged });
    }
    let end = Number.NEGATIVE_INFINITY;
    for (const session of [...this.#byId.values()].sort((a, b) => a.open - b.open)) {
      if (session.open - end > gapMs) this.#byTime.insert(session);
      else this.#touching.push(session);
      end = Math.max(end, session.last);
    }
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The present sessions, in the order in which they were opened. */
  windows(): OrdinalWindow[] {
    return Array.from(this.#byId.values(), windowOf);
  }

  /** A session by its id; undefined if there is none. */
  windowOf(id: number): Window | undefined {
    const session = this.#byId.get(id);
    return session === undefined ? undefined : windowOf(session);
  }

  /** Finds or opens the session of an event. Sessions that touch afterwards are left to `merge`. */
  openFor(timestamp: number): number {
    let session: OpenSession | undefined;
    for (const touched of this.#byTime.within(timestamp - this.#gapMs, timestamp + this.#gapMs)) {
      if (session === undefined || touched.id < session.id) session = touched;
    }
    if (session === undefined) {
      session = { id: this.nextId++, open: timestamp, last: timestamp, mergedIds: NO_IDS, merged: 0 };
      this.#byId.set(session.id, session);
      this.#byTime.insert(session);
      return session.id;
    }
    if (timestamp < session.open) session.open = timestamp;
    if (timestamp > session.last) session.last = timestamp;
    this.#grown = session;
    return session.id;
  }

  /** Merges sessions that touch; returns which was absorbed by which, in order. */
  merge(): readonly SessionMerge[] {
    const merges: SessionMerge[] = [];
    for (const session of [...this.#touching, this.#grown]) {
      if (session === undefined) continue;
      const [into, ...others] = this.#byTime.within(session.open - this.#gapMs, session.last + this.#gapMs);
      if (into === undefined) continue;
      for (const from of into === session ? others : [session]) {
        this.remove(from.id);
        into.last = Math.max(into.last, from.last);
        into.merged += 1 + from.merged;
        if (into.mergedIds.length < MAX_MERGED_IDS) into.mergedIds = [...into.mergedIds, from.id];
        merges.push([from.id, into.id]);
      }
    }
    this.#touching = [];
    this.#grown = undefined;
    return merges;
  }

  /** Forgets a session. */
  remove(id: number): void {
    const session = this.#byId.get(id);
    if (session === undefined) return;
    this.#byId.delete(id);
    this.#byTime.remove(session);
  }

  /** The sessions that a watermark closes: those that ended more than the gap before it, earliest first. */
  due(watermark: number): OrdinalWindow[] {
    const due: OrdinalWindow[] = [];
    for (const session of this.#byTime) {
      if (watermark <= session.last + this.#gapMs) break;
      due.push(windowOf(session));
    }
    return due;
  }

  /** The watermark that must be exceeded for the next session to close; undefined = there is none. */
  nextDue(): number | undefined {
    const first = this.#byTime.first();
    return first === undefined ? undefined : first.last + this.#gapMs;
  }
}

function windowOf({ id, open, last: close, mergedIds, merged }: OpenSession): OrdinalWindow {
  return merged === 0 ? { id, open, close, mergedIds } : { id, open, close, mergedIds, merged };
}
