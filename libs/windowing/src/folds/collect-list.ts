import { listFrom, numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import type { CodecOption, JsonField } from "../json.ts";
import { jsonCodec } from "../codecs.ts";
import { admit, boundsText, resolveBounds, type CollectBounds, type Held } from "./bounds.ts";
import { asHeld, ENDLESS_ROOM, growthBy, roomFor, type Room, type Roomy } from "../room.ts";
import { requireJsonBytes } from "./fold-values.ts";
import { GrowingList } from "./growing-list.ts";

const NAME = "collectList";

/** The accumulator of a list. */
export interface ListState<T> extends Held, Roomy {
  readonly list: GrowingList<T>;
}

/** A value, and the bytes of its JSON. */
interface Sized<T> {
  readonly value: T;
  readonly bytes: number;
}

/**
 * The events' values in a list, in the order of arrival (with `ordered`: by timestamp); undefined = the event has none.
 * Values must be JSON, or have a codec. What exceeds the bounds is left out, and counted as the row's `overflow`.
 *
 * @throws WindowOptionsError
 */
export function collectList<V, T>(
  valueOf: (value: V) => T & JsonField<T>,
  options?: CollectBounds,
): Fold<V, ListState<Exclude<T, undefined>>, readonly Exclude<T, undefined>[]>;
export function collectList<V, T>(
  valueOf: (value: V) => T | undefined,
  options: CollectBounds & CodecOption<T>,
): Fold<V, ListState<T>, readonly T[]>;
export function collectList<V, T>(
  valueOf: (value: V) => T | undefined,
  { codec = jsonCodec<T>(), ...given }: CollectBounds & Partial<CodecOption<T>> = {},
): Fold<V, ListState<T>, readonly T[]> {
  const bounds = resolveBounds(NAME, given);
  const bytesOf = (value: T): number => requireJsonBytes(NAME, codec.snapshot(value));
  const put = (state: ListState<T>, value: T, bytes: number, room: Room = state.room): ListState<T> => {
    const { items } = state.list;
    if (admit(state, bounds, { count: items.length + 1, bytes }, room)) items.push(value);
    return state;
  };
  return {
    kind: `${NAME} ${boundsText(bounds)}`,
    create: (room = ENDLESS_ROOM) => ({ list: new GrowingList(), bytes: 0, overflow: 0, room }),
    add(state, event) {
      const value = valueOf(event);
      return value === undefined ? state : put(state, value, bytesOf(value));
    },
    split: {
      read(event): Sized<T> | undefined {
        const value = valueOf(event);
        return value === undefined ? undefined : { value, bytes: bytesOf(value) };
      },
      take: (state, element: Sized<T> | undefined) =>
        element === undefined ? state : put(state, element.value, element.bytes),
    },
    merge(earlier, later) {
      const room = asHeld(earlier.room);
      for (const value of later.list.items) put(earlier, value, bytesOf(value), room);
      earlier.overflow += later.overflow;
      return earlier;
    },
    result: ({ list }) => [...list.items],
    overflow: ({ overflow }) => overflow,
    growth: growthBy(({ list, bytes }) => roomFor(list.items.length, bytes)),
    snapshot: ({ list, bytes, overflow }) => [list.items.length, bytes, overflow],
    restore(state, room = ENDLESS_ROOM) {
      const [length, bytes, overflow] = listFrom(state).map(numberFrom);
      return {
        list: new GrowingList(length),
        bytes: numberFrom(bytes),
        overflow: numberFrom(overflow),
        room,
      };
    },
    parts: {
      changes: ({ list }) => list.changes((value) => codec.snapshot(value)),
      restore({ list }, parts) {
        list.restore(parts, (json) => codec.restore(json));
      },
      mark: ({ list }) => list.items.length,
      resultAt: ({ list }, mark) => list.items.slice(0, numberFrom(mark)),
    },
  };
}
