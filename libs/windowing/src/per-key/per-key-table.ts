import { DueHeap } from "../due-heap.ts";
import { fieldFrom, listFrom, numberFrom, stringFrom, timeFromJson, timeToJson } from "../fields.ts";
import type { Json } from "../json.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { StateChange, StateField } from "../window-engine.ts";
import type { WindowId } from "../window.ts";
import type { SessionWindower } from "../session-windower.ts";
import type { KeySessions } from "./key-sessions.ts";
import { KeyState, newCell } from "./key-state.ts";

const GROUP = "keys";

/** The keys held, those that time will bring something about for, and what changed since the last snapshot. */
export class PerKeyTable<V, A, R> {
  readonly due = new DueHeap<KeyState<V, A>>();
  readonly #options: ResolvedOptions<V, A, R>;
  readonly #keys = new Map<string, KeyState<V, A>>();
  #serial = 0;
  #changed: Set<KeyState<V, A>> | undefined;
  #deleted = new Set<string>();

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
    if (state.persisted) this.#deleted.add(state.key);
  }

  changed(state: KeyState<V, A>): void {
    this.#changed?.add(state);
  }

  snapshot(): StateChange[] {
    const put: StateField[] = [];
    for (const state of this.#changed ?? this.#keys.values()) {
      put.push([state.key, this.#toJson(state)]);
      state.persisted = true;
    }
    const gone = [...this.#deleted];
    this.#deleted = new Set();
    this.#changed = new Set();
    if (put.length === 0) return gone.length === 0 ? [] : [{ group: GROUP, delete: gone }];
    return [gone.length === 0 ? { group: GROUP, put } : { group: GROUP, put, delete: gone }];
  }

  restoreGroup(fields: Iterable<StateField>): void {
    for (const [key, json] of fields) this.#restore(key, listFrom(json));
    this.#changed = new Set();
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
      const cell = newCell(fold.restore(fieldFrom(accumulator)));
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
