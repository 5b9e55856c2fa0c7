/** What a session is called, and where in time it lies. */
interface NamedSession {
  readonly id: number;
  open: number;
  last: number;
  readonly mergedIds: number[];
}

/**
 * The names of one key's sessions in the time model `perKey`: ordinals, in the order in which sessions were opened. An
 * event joins the session opened first of those it touches; of two that then touch, the one earliest in time stays.
 */
export class SessionNames {
  #sessions: NamedSession[] = [];
  #nextId = 0;

  /** An event enters the session it touches, or opens one. */
  add(ts: number, gapMs: number): void {
    const touched = this.#sessions.filter(({ open, last }) => open - gapMs <= ts && ts <= last + gapMs);
    const [first] = touched.sort((a, b) => a.id - b.id);
    if (first === undefined) {
      this.#sessions.push({ ...this.next(), open: ts, last: ts });
      return;
    }
    first.open = Math.min(first.open, ts);
    first.last = Math.max(first.last, ts);
    this.#merge(gapMs);
  }

  /** The name of a session that ends now and had none. */
  next(): { readonly id: number; readonly mergedIds: number[] } {
    return { id: this.#nextId++, mergedIds: [] };
  }

  /** Takes out the session that opens at a time. */
  take(open: number): { readonly id: number; readonly mergedIds: readonly number[] } {
    const session = this.#sessions.find((each) => each.open === open);
    if (session === undefined) throw new Error(`No session opens at ${String(open)}.`);
    this.#sessions = this.#sessions.filter((each) => each !== session);
    return session;
  }

  #merge(gapMs: number): void {
    const kept: NamedSession[] = [];
    for (const session of this.#sessions.sort((a, b) => a.open - b.open)) {
      const before = kept.at(-1);
      if (before === undefined || session.open - before.last > gapMs) {
        kept.push(session);
        continue;
      }
      before.last = Math.max(before.last, session.last);
      before.mergedIds.push(session.id);
    }
    this.#sessions = kept;
  }
}
