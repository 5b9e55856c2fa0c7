import { DueHeap } from "../due-heap.ts";
import { damaged, listFrom, numberFrom, stringFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import { markFromJson, markToJson, restoreAccumulator, snapshotOf } from "../fold-state.ts";
import { IntervalList } from "../interval-list.ts";
import type { Json } from "../json.ts";
import { isSessionOver } from "../late-events.ts";
import type { Room } from "../room.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { StateChange, StateField, StateGroup } from "../window-engine.ts";
import type { WindowId } from "../window.ts";
import { Session } from "./session.ts";

/** The group of the sessions, by id; the parts of a session's accumulator are in a group named by its id. */
const GROUP = "sessions";

/**
 * The sessions held, by key and in the order in which they become due. A key is dropped with its last session, so memory
 * depends on the sessions alive, not on the keys ever seen.
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
  readonly #room: Room;
  readonly #gapMs: number;
  readonly #latenessMs: number;
  #changed: Set<Session<A>> | undefined;
  #deleted: string[] = [];
  /** Sessions with stored parts that are not needed any more. */
  #dropped: string[] = [];
  /** During a restore: the groups so far, until all are there. */
  readonly #saved = new Map<string, readonly Json[]>();
  readonly #savedParts = new Map<string, readonly StateField[]>();

  constructor(gapMs: number, { fold, room, allowedLatenessMs }: ResolvedOptions<V, A, R>) {
    this.#gapMs = gapMs;
    this.#fold = fold;
    this.#room = room;
    this.#latenessMs = allowedLatenessMs;
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
   * The sessions of a key. Those that ended before `alive` are over: the watermark does not decrease, so no event reaches
   * them any more.
   */
  chainOf(key: string, alive: number): IntervalList<Session<A>> {
    const chain = this.#chains.get(key);
    if (chain === undefined) return this.#none;
    chain.dropBefore(alive);
    if (chain.size === 0) this.#chains.delete(key);
    return chain;
  }

  /** Sessions whose closing row is still to come. */
  unclosed(): Iterable<Session<A>> {
    return this.#due;
  }

  *values(): IterableIterator<Session<A>> {
    for (const session of this.#due) yield session;
    for (const session of this.#kept) yield session;
  }

  open(key: string, timestamp: number, accumulator: A): Session<A> {
    const session = new Session(key, this.serial++, timestamp, accumulator);
    this.#link(session);
    return session;
  }

  /** Puts a new or changed session into its heap at this watermark. */
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

  /** The closing row was emitted: keeps the session while late events may change it, else frees it. */
  closed(session: Session<A>, watermark: number): void {
    this.#due.remove(session);
    if (isSessionOver(session.last, this.#gapMs, this.#latenessMs, watermark)) {
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
    const changes: StateChange[] = this.#dropped.map((group) => ({ group, drop: true }));
    this.#dropped = [];
    const put: StateField[] = [];
    for (const session of this.#changed ?? this.values()) {
      put.push([session.id, this.#toJson(session)]);
      session.persisted = true;
      const parts = this.#fold.parts?.changes(session.accumulator);
      if (parts === undefined || parts.put.length + parts.delete.length === 0) continue;
      changes.push({ group: session.id, ...parts });
      session.persistedParts = true;
    }
    const gone = this.#deleted;
    this.#deleted = [];
    this.#changed = new Set();
    if (gone.length > 0) changes.push({ group: GROUP, put, delete: gone });
    else if (put.length > 0) changes.push({ group: GROUP, put });
    return changes;
  }

  restoreGroup(group: string, fields: Iterable<StateField>): void {
    if (group !== GROUP) this.#savedParts.set(group, [...fields]);
    else for (const [id, json] of fields) this.#saved.set(id, listFrom(json));
  }

  /** After the last group. @throws WindowStateError */
  restored(): void {
    for (const [id, json] of this.#saved) this.#restore(id, json, this.#savedParts.get(id));
    for (const id of this.#savedParts.keys())
      if (!this.#saved.has(id)) damaged("a session for its parts", id);
    this.#saved.clear();
    this.#savedParts.clear();
    this.#changed = new Set();
  }

  /** An event that extends a session does not move it in the heap: the next look at the top does. */
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
    this.#fold.growth?.release(session.accumulator);
    this.#changed?.delete(session);
    if (session.persisted) this.#deleted.push(session.id);
    if (session.persistedParts) this.#dropped.push(session.id);
    const chain = this.#chains.get(session.key);
    chain?.remove(session);
    if (chain?.size === 0) this.#chains.delete(session.key);
  }

  #toJson(session: Session<A>): Json {
    const { key, order, open, last, accumulator, kept, rows, merged, mergedIds, replaces, sent } = session;
    const plain = [key, order, open, last, snapshotOf(this.#fold, accumulator, key)];
    if (!kept && rows === 0 && merged === 0) return plain;
    const all = [...plain, kept, rows, [merged, ...mergedIds], replaces];
    return sent === undefined ? all : [...all, markToJson(this.#fold, sent)];
  }

  #restore(id: string, json: readonly Json[], parts: readonly StateField[] | undefined): void {
    const [key, order, open, last, state, kept = false, rows = 0, merges = [0], replaces = [], sent] = json;
    const accumulator = restoreAccumulator(this.#fold, this.#room, state, parts ?? []);
    const session = new Session(stringFrom(key), numberFrom(order), numberFrom(open), accumulator, id);
    session.last = numberFrom(last);
    session.rows = numberFrom(rows);
    const [merged, ...mergedIds] = listFrom(merges);
    session.merged = numberFrom(merged);
    session.mergedIds = mergedIds.map(idFrom);
    session.replaces = listFrom(replaces).map(idFrom);
    if (sent !== undefined) session.sent = markFromJson(this.#fold, sent);
    session.persisted = true;
    session.persistedParts = parts !== undefined;
    session.kept = kept === true;
    session.due = session.last + this.#gapMs + (session.kept ? this.#latenessMs : 0);
    (session.kept ? this.#kept : this.#due).push(session);
    this.#link(session);
  }
}

/**
 * When the sessions of stored state opened (ms) that had no final row by then.
 *
 * @param groups of an engine in the time model `stream`
 * @throws WindowStateError
 */
export function unfinishedSessions(groups: readonly StateGroup[]): readonly number[] {
  const sessions = groups.flatMap(([group, fields]) => (group === GROUP ? [...fields] : []));
  return sessions.flatMap(([, json]) => {
    const [, , open, , , kept = false] = listFrom(json);
    return kept === true ? [] : [numberFrom(open)];
  });
}

function idFrom(json: Json): WindowId {
  return typeof json === "number" ? json : stringFrom(json);
}
