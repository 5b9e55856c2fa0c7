import { damaged, fieldFrom, listFrom, numberFrom, stringFrom } from "../fields.ts";
import type { Fold, FoldPart, PartChanges } from "../fold.ts";
import type { CodecOption, Json, JsonLike } from "../json.ts";
import { jsonCodec } from "../codecs.ts";
import { admit, boundsText, resolveBounds, type CollectBounds } from "./bounds.ts";
import { asHeld, ENDLESS_ROOM, growthBy, roomFor, type Room, type Roomy } from "../room.ts";
import { requireJsonBytes } from "./fold-values.ts";

const NAME = "collectMap";

/** The entry of a name. */
interface Entry<T> {
  /** The index of the name among all names. */
  readonly place: number;
  value: T;
  bytes: number;
  /** The mark since which the entry has this value. */
  since: number;
  /** The value before it: if `value` was set after the last mark, the one at that mark. */
  before: T | undefined;
}

interface NamedValue<T> {
  readonly name: string;
  readonly value: T;
  readonly bytes: number;
}

/** The accumulator of a map: names are only added, and their values replaced. Each entry is stored separately. */
export class GrowingMap<T> implements Roomy {
  readonly room: Room;
  readonly entries = new Map<string, Entry<T>>();
  bytes = 0;
  overflow = 0;
  /** Number of marks so far. */
  marks = 0;
  /** Names changed since the last call of `changes`, once there was one. */
  #changed: Set<string> | undefined;
  readonly #expected: number;

  constructor(room: Room, expected = 0) {
    this.room = room;
    this.#expected = expected;
  }

  /** Adds a name, or replaces its value. */
  set({ name, value, bytes }: NamedValue<T>): void {
    const entry = this.entries.get(name);
    if (entry === undefined) {
      const place = this.entries.size;
      this.entries.set(name, { place, value, bytes, since: this.marks, before: undefined });
    } else {
      if (entry.since < this.marks) {
        entry.before = entry.value;
        entry.since = this.marks;
      }
      entry.value = value;
      entry.bytes = bytes;
    }
    this.#changed?.add(name);
  }

  /** The entries changed since the last call. */
  changes(toJson: (value: T) => Json): PartChanges {
    const put = Array.from(this.#changed ?? this.entries.keys()).flatMap((name): FoldPart[] => {
      const entry = this.entries.get(name);
      if (entry === undefined) return [];
      const { place, value, bytes, since, before } = entry;
      const json = [name, bytes, since, toJson(value)];
      return [[String(place), before === undefined ? json : [...json, toJson(before)]]];
    });
    this.#changed = new Set();
    return { put, delete: [] };
  }

  /** Restores the stored entries. @throws WindowStateError if some are missing */
  restore(parts: readonly FoldPart[], fromJson: (json: Json) => T): void {
    const byPlace = parts.map(([id, json]) => [Number(id), listFrom(json)] as const);
    for (const [place, [name, bytes, since, value, before]] of byPlace.sort(([a], [b]) => a - b)) {
      this.entries.set(stringFrom(name), {
        place,
        value: fromJson(fieldFrom(value)),
        bytes: numberFrom(bytes),
        since: numberFrom(since),
        before: before === undefined ? undefined : fromJson(before),
      });
    }
    if (this.entries.size !== this.#expected) damaged(`${String(this.#expected)} entries`, this.entries.size);
    this.#changed = new Set();
  }

  /** The map as it was at the last mark, when it had `size` names. */
  resultAt(size: number): Readonly<Record<string, T>> {
    const entries: [string, T][] = [];
    for (const [name, { value, since, before = value }] of this.entries) {
      if (entries.length === size) break;
      entries.push([name, since === this.marks ? before : value]);
    }
    return Object.fromEntries(entries);
  }
}

/**
 * One entry for each event; for equal names the last one wins; undefined = the event has none. Values must be JSON,
 * or have a codec. What exceeds the bounds is left out, and counted as the row's `overflow`; if a replacement exceeds
 * them, the old value stays.
 *
 * @throws WindowOptionsError
 */
export function collectMap<V, T>(
  entryOf: (value: V) => readonly [name: string, value: T & JsonLike<T>] | undefined,
  options?: CollectBounds,
): Fold<V, GrowingMap<T>, Readonly<Record<string, T>>>;
export function collectMap<V, T>(
  entryOf: (value: V) => readonly [name: string, value: T] | undefined,
  options: CollectBounds & CodecOption<T>,
): Fold<V, GrowingMap<T>, Readonly<Record<string, T>>>;
export function collectMap<V, T>(
  entryOf: (value: V) => readonly [name: string, value: T] | undefined,
  { codec = jsonCodec<T>(), ...given }: CollectBounds & Partial<CodecOption<T>> = {},
): Fold<V, GrowingMap<T>, Readonly<Record<string, T>>> {
  const bounds = resolveBounds(NAME, given);
  const read = (event: V): NamedValue<T> | undefined => {
    const entry = entryOf(event);
    if (entry === undefined) return undefined;
    const [name, value] = entry;
    return {
      name,
      value,
      bytes: requireJsonBytes(NAME, name) + requireJsonBytes(NAME, codec.snapshot(value)),
    };
  };
  const put = (map: GrowingMap<T>, entry: NamedValue<T>, room: Room): void => {
    const replaced = map.entries.get(entry.name)?.bytes;
    const count = replaced === undefined ? map.entries.size + 1 : map.entries.size;
    if (admit(map, bounds, { count, bytes: entry.bytes, replaced }, room)) map.set(entry);
  };
  const take = (map: GrowingMap<T>, entry: NamedValue<T> | undefined): GrowingMap<T> => {
    if (entry !== undefined) put(map, entry, map.room);
    return map;
  };
  return {
    kind: `${NAME} ${boundsText(bounds)}`,
    create: (room = ENDLESS_ROOM) => new GrowingMap(room),
    add: (map, event) => take(map, read(event)),
    split: { read, take },
    merge(earlier, later) {
      const room = asHeld(earlier.room);
      for (const [name, { value, bytes }] of later.entries) put(earlier, { name, value, bytes }, room);
      earlier.overflow += later.overflow;
      return earlier;
    },
    // fromEntries defines properties, so a name such as "__proto__" is safe.
    result: ({ entries }) => Object.fromEntries(Array.from(entries, ([name, { value }]) => [name, value])),
    overflow: ({ overflow }) => overflow,
    growth: growthBy(({ entries, bytes }) => roomFor(entries.size, bytes)),
    snapshot: ({ entries, bytes, overflow, marks }) => [entries.size, bytes, overflow, marks],
    restore(state, room = ENDLESS_ROOM) {
      const [size, bytes, overflow, marks] = listFrom(state);
      const map = new GrowingMap<T>(room, numberFrom(size));
      map.bytes = numberFrom(bytes);
      map.overflow = numberFrom(overflow);
      map.marks = numberFrom(marks);
      return map;
    },
    parts: {
      changes: (map) => map.changes((value) => codec.snapshot(value)),
      restore(map, parts) {
        map.restore(parts, (json) => codec.restore(json));
      },
      mark(map) {
        map.marks++;
        return map.entries.size;
      },
      resultAt: (map, size) => map.resultAt(numberFrom(size)),
    },
  };
}
