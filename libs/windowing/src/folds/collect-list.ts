import { listFrom, numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import type { CodecOption, JsonField } from "../json.ts";
import { jsonCodec } from "../codecs.ts";
import { admit, resolveBounds, type CollectBounds, type Held } from "./bounds.ts";
import { requireJsonBytes } from "./fold-values.ts";
import { GrowingList } from "./growing-list.ts";

const NAME = "collectList";

/** The accumulator of a list. */
export interface ListState<T> extends Held {
  readonly list: GrowingList<T>;
}

/** A value, and the bytes of its JSON. */
interface Sized<T> {
  readonly value: T;
  readonly bytes: number;
}

/**
 * The events' values in a list, as they came (with `ordered`: by timestamp); undefined = the event has none. Values
 * must be JSON, or have a codec. What exceeds the bounds is left out, and counted as the row's `overflow`.
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
  const sized = (value: T): Sized<T> => ({ value, bytes: requireJsonBytes(NAME, codec.snapshot(value)) });
  const read = (event: V): Sized<T> | undefined => {
    const value = valueOf(event);
    return value === undefined ? undefined : sized(value);
  };
  const take = (state: ListState<T>, element: Sized<T> | undefined): ListState<T> => {
    if (element === undefined) return state;
    const { items } = state.list;
    if (admit(state, bounds, items.length + 1, element.bytes)) items.push(element.value);
    return state;
  };
  return {
    create: () => ({ list: new GrowingList(), bytes: 0, overflow: 0 }),
    add: (state, event) => take(state, read(event)),
    split: { read, take },
    merge(earlier, later) {
      for (const value of later.list.items) take(earlier, sized(value));
      earlier.overflow += later.overflow;
      return earlier;
    },
    result: ({ list }) => [...list.items],
    overflow: ({ overflow }) => overflow,
    snapshot: ({ list, bytes, overflow }) => [list.items.length, bytes, overflow],
    restore(state) {
      const [length, bytes, overflow] = listFrom(state).map(numberFrom);
      return { list: new GrowingList(length), bytes: numberFrom(bytes), overflow: numberFrom(overflow) };
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
