import { DueHeap } from "../due-heap.ts";
import { damaged, fieldFrom, listFrom, numberFrom, stringFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import { IntervalList } from "../interval-list.ts";
import type { Json } from "../json.ts";
import type { StateChange, StateField } from "../window-engine.ts";
import type { WindowId } from "../window.ts";
import { Session } from "./session.ts";

const GROUP = "sessions";

/**
 * The sessions held, by key and in the order in which they become due. A key is gone with its last session, so
 * memory follows the sessions alive, not the keys ever seen.
 */
export class SessionTable<V, A, R> {
  /** How many sessions were ever opened. */
  serial = 0;
  /** The sessions of each key that events can still reach. */
  readonly #chains = new Map<string, IntervalList<Session<A>>>();
  readonly #none = new IntervalList<Session<A>>();
  readonly #due = new DueHeap<Session<A>>();
  readonly #kept = new DueHeap<Session<A>>();
  readonly #fold: Fold<V, A, R>;
  readonly #gapMs: number;
  readonly #latenessMs: number;
  #changed: Set<Session<A>> | undefined;
  #deleted: string[] = [];

  constructor(gapMs: number, fold: Fold<V, A, R>, latenessMs: number) {
    this.#gapMs = gapMs;
    this.#fold = fold;
    this.#latenessMs = latenessMs;
  }

  get size(): number {
    return this.#due.size + this.#kept.size;
  }

  get keys(): number {
    return this.#chains.size;
  }

  has(key: string): boolean {
    return this.#chains.has(key);
  }

  /**
   * The sessions of a key. Those that ended before `alive` are over: as the watermark does not fall, no event will reach
   * them any more.
   */
  chainOf(key: string, alive: number): IntervalList<Session<A>> {
    const chain = this.#chains.get(key);
    if (chain === undefined) return this.#none;
    chain.dropBefore(alive);
    if (chain.size === 0) this.#chains.delete(key);
    return chain;
  }

  *values(): IterableIterator<Session<A>> {
    for (const session of this.#due) yield session;
    for (const session of this.#kept) yield session;
  }

  open(key: string, timestamp: number): Session<A> {
    const session = new Session(key, this.serial++, timestamp, this.#fold.create());
    this.#link(session);
    return session;
  }

  /** Puts a session, new or changed, where it belongs at this watermark. */
  place(session: Session<A>, watermark: number): void {
    const kept = watermark > session.last + this.#gapMs;
    if (session.slot >= 0) {
      if (kept === session.kept) return;
      (session.kept ? this.#kept : this.#due).remove(session);
    }
    session.kept = kept;
    session.due = session.last + this.#gapMs + (kept ? this.#latenessMs : 0);
    (kept ? this.#kept : this.#due).push(session);
  }

  /** The session that is due next; its `due` is exact. */
  nextDue(): Session<A> | undefined {
    return this.#exact(this.#due, 0);
  }

  /** The kept session that is freed next; its `due` is exact. */
  nextExpiry(): Session<A> | undefined {
    return this.#exact(this.#kept, this.#latenessMs);
  }

  /** The closing row is out: keeps the session while late events may change it, else frees it. */
  closed(session: Session<A>, watermark: number): void {
    this.#due.remove(session);
    if (watermark > session.last + this.#gapMs + this.#latenessMs) {
      this.#forget(session);
      return;
    }
    session.kept = true;
    session.due = session.last + this.#gapMs + this.#latenessMs;
    this.#kept.push(session);
    this.changed(session);
  }

  remove(session: Session<A>): void {
    (session.kept ? this.#kept : this.#due).remove(session);
    this.#forget(session);
  }

  changed(session: Session<A>): void {
    this.#changed?.add(session);
  }

  snapshot(): StateChange[] {
    const put: StateField[] = [];
    for (const session of this.#changed ?? this.values()) {
      put.push([session.id, this.#toJson(session)]);
      session.persisted = true;
    }
    const gone = this.#deleted;
    this.#deleted = [];
    this.#changed = new Set();
    if (put.length === 0) return gone.length === 0 ? [] : [{ group: GROUP, delete: gone }];
    return [gone.length === 0 ? { group: GROUP, put } : { group: GROUP, put, delete: gone }];
  }

  restoreGroup(group: string, fields: Iterable<StateField>): void {
    if (group !== GROUP) damaged("the group of sessions", group);
    this.#changed ??= new Set();
    for (const [id, json] of fields) this.#restore(id, listFrom(json));
  }

  /** An event that extends a session does not move it in the heap: whoever looks at the top does. */
  #exact(heap: DueHeap<Session<A>>, latenessMs: number): Session<A> | undefined {
    for (;;) {
      const session = heap.peek();
      if (session === undefined) return undefined;
      const due = session.last + this.#gapMs + latenessMs;
      if (due === session.due) return session;
      heap.move(session, due);
    }
  }

  #link(session: Session<A>): void {
    const chain = this.#chains.get(session.key) ?? new IntervalList();
    this.#chains.set(session.key, chain);
    chain.insert(session);
  }

  #forget(session: Session<A>): void {
    this.#changed?.delete(session);
    if (session.persisted) this.#deleted.push(session.id);
    const chain = this.#chains.get(session.key);
    chain?.remove(session);
    if (chain?.size === 0) this.#chains.delete(session.key);
  }

  #toJson(session: Session<A>): Json {
    const { key, order, open, last, accumulator, kept, rows, merged, mergedIds, replaces, sent } = session;
    const plain = [key, order, open, last, this.#fold.snapshot(accumulator)];
    if (!kept && rows === 0 && merged === 0) return plain;
    const all = [...plain, kept, rows, [merged, ...mergedIds], replaces];
    return sent === undefined ? all : [...all, sent];
  }

  #restore(id: string, json: readonly Json[]): void {
    const [key, order, open, last, state, kept = false, rows = 0, merges = [0], replaces = [], sent] = json;
    const accumulator = this.#fold.restore(fieldFrom(state));
    const session = new Session(stringFrom(key), numberFrom(order), numberFrom(open), accumulator, id);
    session.last = numberFrom(last);
    session.rows = numberFrom(rows);
    const [merged, ...mergedIds] = listFrom(merges);
    session.merged = numberFrom(merged);
    session.mergedIds = mergedIds.map(idFrom);
    session.replaces = listFrom(replaces).map(idFrom);
    session.sent = sent;
    session.persisted = true;
    session.kept = kept === true;
    session.due = session.last + this.#gapMs + (session.kept ? this.#latenessMs : 0);
    (session.kept ? this.#kept : this.#due).push(session);
    this.#link(session);
  }
}

function idFrom(json: Json): WindowId {
  return typeof json === "number" ? json : stringFrom(json);
}
