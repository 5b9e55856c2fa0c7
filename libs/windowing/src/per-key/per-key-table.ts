import { DueHeap } from "../due-heap.ts";
import { fieldFrom, listFrom, numberFrom, stringFrom, timeFromJson, timeToJson } from "../fields.ts";
import { fieldName, restoreAccumulator } from "../fold-state.ts";
import type { Json } from "../json.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { StateChange, StateField, StateGroup } from "../window-engine.ts";
import type { WindowId } from "../window.ts";
import type { SessionWindower } from "../session-windower.ts";
import type { KeySessions } from "./key-sessions.ts";
import { KeyState, newCell, type KeyCell } from "./key-state.ts";

const GROUP = "keys";

/** The keys held, those that time will bring something about for, and what changed since the last snapshot. */
export class PerKeyTable<V, A, R> {
  readonly due = new DueHeap<KeyState<V, A>>();
  readonly #options: ResolvedOptions<V, A, R>;
  readonly #keys = new Map<string, KeyState<V, A>>();
  #serial = 0;
  #changed: Set<KeyState<V, A>> | undefined;
  #deleted = new Set<string>();
  /** Groups of parts that are not wanted any more. */
  #dropped: string[] = [];
  /** While state is restored: the parts of each group. */
  readonly #savedParts = new Map<string, readonly StateField[]>();

  constructor(options: ResolvedOptions<V, A, R>) {
    this.#options = options;
  }

  get size(): number {
    return this.#keys.size;
  }

  get(key: string): KeyState<V, A> | undefined {
    return this.#keys.get(key);
  }

  values(): Iterable<KeyState<V, A>> {
    return this.#keys.values();
  }

  open(key: string): KeyState<V, A> {
    const { windower } = this.#options;
    return this.#add(key, windower.kind === "session" ? windower.sessions() : undefined);
  }

  /** Wakes a key at another time; Infinity = not at all. */
  schedule(state: KeyState<V, A>, due: number): void {
    if (due === state.due) return;
    if (due === Number.POSITIVE_INFINITY) this.due.remove(state);
    if (state.slot >= 0) this.due.move(state, due);
    else {
      state.due = due;
      if (due !== Number.POSITIVE_INFINITY) this.due.push(state);
    }
  }

  remove(state: KeyState<V, A>): void {
    this.schedule(state, Number.POSITIVE_INFINITY);
    this.#keys.delete(state.key);
    this.#changed?.delete(state);
    this.#dropGone(state);
    if (state.persisted) this.#deleted.add(state.key);
  }

  changed(state: KeyState<V, A>): void {
    this.#changed?.add(state);
  }

  snapshot(): StateChange[] {
    const put: StateField[] = [];
    const parts: StateChange[] = [];
    for (const state of this.#changed ?? this.#keys.values()) {
      put.push([state.key, this.#toJson(state)]);
      state.persisted = true;
      this.#dropGone(state);
      for (const [id, cell] of state.cells) parts.push(...this.#changedParts(state, id, cell));
    }
    const changes = this.#dropped.map((group): StateChange => ({ group, drop: true }));
    changes.push(...parts);
    const gone = [...this.#deleted];
    this.#deleted = new Set();
    this.#dropped = [];
    this.#changed = new Set();
    if (gone.length > 0) changes.push({ group: GROUP, put, delete: gone });
    else if (put.length > 0) changes.push({ group: GROUP, put });
    return changes;
  }

  /** The group of keys after those of their parts. @throws WindowStateError */
  restore(groups: Iterable<StateGroup>): void {
    let keys: readonly StateField[] = [];
    for (const [group, fields] of groups) {
      if (group === GROUP) keys = [...fields];
      else this.#savedParts.set(group, [...fields]);
    }
    for (const [key, json] of keys) this.#restore(key, listFrom(json));
    this.#savedParts.clear();
    this.#changed = new Set();
  }

  /** A cell's parts are a group of their own. */
  #changedParts(state: KeyState<V, A>, id: number, cell: KeyCell<A>): StateChange[] {
    const changes = this.#options.fold.parts?.changes(cell.accumulator);
    if (changes === undefined || changes.put.length + changes.delete.length === 0) return [];
    cell.persistedParts = true;
    return [{ group: fieldName(state.key, String(id)), ...changes }];
  }

  #dropGone(state: KeyState<V, A>): void {
    for (const id of state.gone) this.#dropped.push(fieldName(state.key, String(id)));
    state.gone = [];
  }

  #add(key: string, sessions: KeySessions | undefined): KeyState<V, A> {
    const state = new KeyState<V, A>(key, this.#serial++, sessions);
    this.#keys.set(key, state);
    // A key that comes back before the next snapshot is a change of a field, not a field gone.
    state.persisted = this.#deleted.delete(key);
    return state;
  }

  #toJson({ base, at, ended, cells, queue, sessions }: KeyState<V, A>): Json {
    const { fold, valueCodec } = this.#options;
    return [
      timeToJson(base),
      at,
      [...cells].map(([id, { accumulator, rows, replaces, sent }]) => {
        const plain = [id, fold.snapshot(accumulator)];
        if (rows === 0 && replaces.length === 0) return plain;
        return sent === undefined ? [...plain, rows, replaces] : [...plain, rows, replaces, sent];
      }),
      sessions === undefined
        ? null
        : [
            sessions.nextId,
            sessions.windows().map(({ id, open, close, mergedIds }) => [id, open, close, mergedIds]),
          ],
      queue.size === 0
        ? null
        : [queue.timestamps(), queue.values().map((value) => valueCodec.snapshot(value))],
      ended === undefined ? null : [timeToJson(ended.from), ended.to, ended.cause],
    ];
  }

  #restore(key: string, json: readonly Json[]): void {
    const { fold, windower, valueCodec } = this.#options;
    const [base, at, cells, sessions, queue, ended] = json;
    const state = this.#add(key, windower.kind === "session" ? sessionsFrom(windower, sessions) : undefined);
    state.base = timeFromJson(base);
    state.at = numberFrom(at);
    state.persisted = true;
    for (const entry of listFrom(cells)) {
      const [id, accumulator, rows = 0, replaces = [], sent] = listFrom(entry);
      const parts = this.#savedParts.get(fieldName(key, String(numberFrom(id))));
      const cell = newCell(restoreAccumulator(fold, accumulator, parts ?? []));
      cell.persistedParts = parts !== undefined;
      cell.rows = numberFrom(rows);
      cell.replaces = listFrom(replaces).map(idFrom);
      cell.sent = sent;
      cell.touched = cell.rows === 0 || sent !== undefined;
      state.cells.set(numberFrom(id), cell);
      if (windower.kind !== "session") {
        state.firstClose = Math.min(state.firstClose, windower.closeOf(numberFrom(id)));
      }
    }
    if (queue !== null) {
      const [timestamps, values] = listFrom(queue);
      const events = listFrom(values);
      listFrom(timestamps).forEach((timestamp, index) => {
        state.queue.push(numberFrom(timestamp), valueCodec.restore(fieldFrom(events[index])));
      });
    }
    if (ended !== null) {
      const [from, to, cause] = listFrom(ended);
      state.ended = {
        from: timeFromJson(from),
        to: numberFrom(to),
        cause: cause === "drain" ? "drain" : "end",
      };
    }
  }
}

function sessionsFrom(windower: SessionWindower, json: Json | undefined): KeySessions {
  const [nextId, sessions] = listFrom(json);
  const windows = listFrom(sessions).map((session) => {
    const [id, open, close, mergedIds] = listFrom(session);
    return {
      id: numberFrom(id),
      open: numberFrom(open),
      close: numberFrom(close),
      mergedIds: listFrom(mergedIds).map(idFrom),
    };
  });
  return windower.sessions(windows, numberFrom(nextId));
}

function idFrom(json: Json): WindowId {
  return typeof json === "number" ? json : stringFrom(json);
}
