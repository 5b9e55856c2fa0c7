import { fieldFrom, listFrom, stringFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import { Verbatim } from "../verbatim.ts";

/** An entry for each event; of equal names the last one added stays. Values must be JSON. */
export function collectMap<V, T>(
  entryOf: (value: V) => readonly [name: string, value: T],
): Fold<V, Map<string, T>, Readonly<Record<string, T>>> {
  const codec = new Verbatim<T>();
  return {
    create: () => new Map(),
    add(map, value) {
      const [name, entry] = entryOf(value);
      return map.set(name, entry);
    },
    merge(earlier, later) {
      for (const [name, entry] of later) earlier.set(name, entry);
      return earlier;
    },
    // fromEntries defines properties: a name such as "__proto__" is a name like any other.
    result: (map) => Object.fromEntries(map),
    snapshot: (map) => Array.from(map, ([name, entry]) => [name, codec.snapshot(entry)]),
    restore(state) {
      const entries = listFrom(state).map((entry) => {
        const [name, value] = listFrom(entry);
        return [stringFrom(name), codec.restore(fieldFrom(value))] as const;
      });
      return new Map(entries);
    },
  };
}
