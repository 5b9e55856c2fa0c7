import { DueHeap } from "../due-heap.ts";
import { fieldFrom, listFrom, numberFrom, stringFrom, timeFromJson, timeToJson } from "../fields.ts";
import type { PartChanges } from "../fold.ts";
import { fieldName, markFromJson, markToJson, restoreAccumulator, snapshotOf } from "../fold-state.ts";
import type { Json } from "../json.ts";
import type { PerKeyOptions } from "../window-engine-options.ts";
import type { StateChange, StateField, StateGroup } from "../window-engine.ts";
import type { OrdinalWindow, WindowId } from "../window.ts";
import { KeyClock } from "./key-clock.ts";
import { KeySessions } from "./key-sessions.ts";
import { KeyState, newCell, RestingKey, type KeyCell } from "./key-state.ts";

const GROUP = "keys";
/** Names the group of a key's waiting events; groups of its windows' parts are named by a number. */
const QUEUE = "queue";

/**
 * The keys held: those with windows, and the clocks of those without. Without room left, the clock that stopped first
 * is forgotten, and replaced by one floor for all forgotten keys.
 */
export class PerKeyTable<V, A, R> {
  /** Keys for which something is due at a later time. */
  readonly due = new DueHeap<KeyState<V, A>>();
  readonly #options: PerKeyOptions<V, A, R>;
  readonly #keys = new Map<string, KeyState<V, A>>();
  readonly #resting = new Map<string, RestingKey>();
  readonly #forgettable = new DueHeap<RestingKey>();
  /** No forgotten key had a window that ended after this, and none had a session of this number. */
  #floor = Number.NEGATIVE_INFINITY;
  #nextId = 0;
  #serial = 0;
  #changed: Set<string> | undefined;
  /** Groups of parts that are not needed any more. */
  #dropped = new Set<string>();
  /** During a restore: the parts of each group. */
  readonly #savedParts = new Map<string, readonly StateField[]>();

  constructor(options: PerKeyOptions<V, A, R>) {
    this.#options = options;
  }

  /** Number of keys held, with resting ones. */
  get size(): number {
    return this.#keys.size + this.#resting.size;
  }

  /** Whether a key is held. */
  has(key: string): boolean {
    return this.#keys.has(key) || this.#resting.has(key);
  }

  /** The clock of a key that is held. */
  clockOf(key: string): KeyClock | undefined {
    return (this.#keys.get(key) ?? this.#resting.get(key))?.clock;
  }

  /** The watermark (ms) of a key at an instant; for a key that is not held, the floor of all such keys. */
  watermarkOf(key: string, time: number): number {
    return this.clockOf(key)?.watermark(time) ?? this.#floor;
  }

  /** Keys with windows or waiting events. */
  values(): Iterable<KeyState<V, A>> {
    return this.#keys.values();
  }

  /** A key to add an event to: held, resting or new. */
  take(key: string): KeyState<V, A> {
    const held = this.#keys.get(key);
    if (held !== undefined) return held;
    const resting = this.#resting.get(key);
    if (resting !== undefined) this.#wake(resting);
    // On the system clock all keys have one time.
    const base = this.#options.clock.kind === "system" ? 0 : Number.NEGATIVE_INFINITY;
    const clock = resting?.clock ?? new KeyClock(base, 0, this.#floor);
    return this.#add(key, clock, this.#sessionsFrom([], resting?.nextId ?? this.#nextId));
  }

  /** Keeps only the clock of a key without windows. */
  rest(state: KeyState<V, A>): void {
    const { key, clock, sessions, order } = state;
    this.drop(state);
    this.#addResting(new RestingKey(key, order, clock, sessions?.nextId));
  }

  /** Drops a key without windows, if none of its windows could open again. */
  drop(state: KeyState<V, A>): void {
    this.#keys.delete(state.key);
    this.#dropGone(state);
    if (state.queue.isKept) this.#dropped.add(fieldName(state.key, QUEUE));
    this.changed(state.key);
  }

  /** Forgets the resting key whose windows ended first; returns whether there was one. */
  forgetOne(): boolean {
    const resting = this.#forgettable.peek();
    if (resting === undefined) return false;
    this.#wake(resting);
    this.#floor = Math.max(this.#floor, resting.clock.floor);
    this.#nextId = Math.max(this.#nextId, resting.nextId ?? 0);
    this.changed(resting.key);
    return true;
  }

  /** Changes when a key is due; Infinity = never. */
  schedule(state: KeyState<V, A>, due: number): void {
    if (due === state.due) return;
    if (due === Number.POSITIVE_INFINITY) {
      this.due.remove(state);
      state.due = due;
    } else if (state.slot >= 0) this.due.move(state, due);
    else {
      state.due = due;
      this.due.push(state);
    }
  }

  changed(key: string): void {
    this.#changed?.add(key);
  }

  snapshot(): StateChange[] {
    const put: StateField[] = [];
    const gone: string[] = [];
    const parts: StateChange[] = [];
    for (const key of this.#changed ?? [...this.#keys.keys(), ...this.#resting.keys()]) {
      const json = this.#toJson(key);
      if (json === undefined) gone.push(key);
      else put.push([key, json]);
      const state = this.#keys.get(key);
      if (state === undefined) continue;
      this.#dropGone(state);
      for (const [id, cell] of state.cells) parts.push(...this.#changedParts(state, id, cell));
      parts.push(...this.#partsOf(fieldName(key, QUEUE), state.queue.changes(this.#options.valueCodec)));
    }
    const changes = Array.from(this.#dropped, (group): StateChange => ({ group, drop: true }));
    changes.push(...parts);
    this.#dropped.clear();
    this.#changed = new Set();
    if (gone.length > 0) changes.push({ group: GROUP, put, delete: gone });
    else if (put.length > 0) changes.push({ group: GROUP, put });
    return changes;
  }

  /** The floor for all forgotten keys. */
  forgottenToJson(): Json {
    return [timeToJson(this.#floor), this.#nextId];
  }

  restoreForgotten(json: Json | undefined): void {
    const [floor, nextId] = listFrom(json);
    this.#floor = timeFromJson(floor);
    this.#nextId = numberFrom(nextId);
  }

  /** Restores the group of keys, after those of their parts. @throws WindowStateError */
  restore(groups: Iterable<StateGroup>): void {
    let keys: readonly StateField[] = [];
    for (const [group, fields] of groups) {
      if (group === GROUP) keys = [...fields];
      else this.#savedParts.set(group, [...fields]);
    }
    for (const [key, json] of keys) {
      const [clock, windows] = listFrom(json);
      const [base, at, floor] = listFrom(clock);
      const restored = new KeyClock(timeFromJson(base), numberFrom(at), timeFromJson(floor));
      if (typeof windows === "object" && windows !== null) this.#restore(key, restored, listFrom(windows));
      else {
        const nextId = windows === null ? undefined : numberFrom(windows);
        this.#addResting(new RestingKey(key, this.#serial++, restored, nextId));
      }
    }
    this.#savedParts.clear();
    this.#changed = new Set();
  }

  /** Whether two events, adjacent in time, are in the same windows. */
  readonly #alike = (earlier: number, later: number): boolean => {
    const { windower } = this.#options;
    if (windower.kind === "session") return later - earlier <= windower.gapMs;
    return (
      windower.firstIdAt(earlier) === windower.firstIdAt(later) &&
      windower.lastIdAt(earlier) === windower.lastIdAt(later)
    );
  };

  /** Each cell's parts have a group of their own. */
  #changedParts(state: KeyState<V, A>, id: number, cell: KeyCell<A>): StateChange[] {
    const changes = this.#options.fold.parts?.changes(cell.accumulator);
    if (changes === undefined || changes.put.length + changes.delete.length === 0) return [];
    cell.persistedParts = true;
    return this.#partsOf(fieldName(state.key, String(id)), changes);
  }

  #partsOf(group: string, changes: PartChanges): StateChange[] {
    if (changes.put.length + changes.delete.length === 0) return [];
    // A key that was dropped may have returned since.
    return [this.#dropped.delete(group) ? { group, drop: true, ...changes } : { group, ...changes }];
  }

  #dropGone(state: KeyState<V, A>): void {
    for (const id of state.gone) this.#dropped.add(fieldName(state.key, String(id)));
    state.gone = [];
  }

  #wake(resting: RestingKey): void {
    this.#resting.delete(resting.key);
    this.#forgettable.remove(resting);
  }

  #addResting(resting: RestingKey): void {
    this.#resting.set(resting.key, resting);
    this.#forgettable.push(resting);
  }

  #add(key: string, clock: KeyClock, sessions: KeySessions | undefined): KeyState<V, A> {
    const { room, maxOrderedEvents: max } = this.#options;
    const bounds = { room, max, alike: this.#alike };
    const state = new KeyState<V, A>(key, this.#serial++, clock, sessions, bounds);
    this.#keys.set(key, state);
    return state;
  }

  /** A key's clock, with its windows; undefined for a key that is not held. */
  #toJson(key: string): Json | undefined {
    const state = this.#keys.get(key);
    const resting = state === undefined ? this.#resting.get(key) : undefined;
    const clock = state?.clock ?? resting?.clock;
    if (clock === undefined) return undefined;
    const windows = state === undefined ? (resting?.nextId ?? null) : this.#windowsToJson(state);
    return [[timeToJson(clock.base), clock.at, timeToJson(clock.floor)], windows];
  }

  #windowsToJson({ key, ended, cells, queue, sessions }: KeyState<V, A>): Json {
    const { fold } = this.#options;
    return [
      [...cells].map(([id, { accumulator, rows, replaces, leftOut, sent }]) => {
        const plain = [id, snapshotOf(fold, accumulator, key)];
        if (rows === 0 && replaces.length === 0 && leftOut === 0) return plain;
        const all = [...plain, rows, replaces, leftOut];
        return sent === undefined ? all : [...all, markToJson(fold, sent)];
      }),
      sessions === undefined
        ? null
        : [
            sessions.nextId,
            sessions
              .windows()
              .map(({ id, open, close, mergedIds, merged = 0 }) => [id, open, close, mergedIds, merged]),
          ],
      queue.toJson(),
      ended === undefined ? null : [timeToJson(ended.from), ended.to, ended.cause],
    ];
  }

  #restore(key: string, clock: KeyClock, json: readonly Json[]): void {
    const { fold, room, windower, valueCodec } = this.#options;
    const [cells, sessions, queue, ended] = json;
    const [nextId, held] = sessions === null ? [0, []] : listFrom(sessions);
    const windows = listFrom(held).map(sessionFrom);
    const state = this.#add(key, clock, this.#sessionsFrom(windows, numberFrom(nextId)));
    for (const entry of listFrom(cells)) {
      const [id, accumulator, rows = 0, replaces = [], leftOut = 0, sent] = listFrom(entry);
      const parts = this.#savedParts.get(fieldName(key, String(numberFrom(id))));
      const cell = newCell(restoreAccumulator(fold, room, accumulator, parts ?? []));
      cell.persistedParts = parts !== undefined;
      cell.rows = numberFrom(rows);
      cell.replaces = listFrom(replaces).map(idFrom);
      cell.leftOut = numberFrom(leftOut);
      if (sent !== undefined) cell.sent = markFromJson(fold, sent);
      cell.touched = cell.rows === 0 || sent !== undefined;
      state.cells.set(numberFrom(id), cell);
      if (windower.kind !== "session") {
        state.firstClose = Math.min(state.firstClose, windower.closeOf(numberFrom(id)));
      }
    }
    state.queue.restore(fieldFrom(queue), this.#savedParts.get(fieldName(key, QUEUE)) ?? [], valueCodec);
    if (ended !== null) {
      const [from, to, cause] = listFrom(ended);
      state.ended = {
        from: timeFromJson(from),
        to: numberFrom(to),
        cause: cause === "drain" ? "drain" : "end",
      };
    }
  }

  #sessionsFrom(sessions: readonly OrdinalWindow[], nextId: number): KeySessions | undefined {
    const { windower } = this.#options;
    return windower.kind === "session" ? new KeySessions(windower.gapMs, sessions, nextId) : undefined;
  }
}

function sessionFrom(json: Json): OrdinalWindow {
  const [id, open, close, mergedIds, merged] = listFrom(json);
  return {
    id: numberFrom(id),
    open: numberFrom(open),
    close: numberFrom(close),
    mergedIds: listFrom(mergedIds).map(idFrom),
    merged: numberFrom(merged),
  };
}

function idFrom(json: Json): WindowId {
  return typeof json === "number" ? json : stringFrom(json);
}
