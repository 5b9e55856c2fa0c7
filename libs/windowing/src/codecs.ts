import { fieldFrom, listFrom, stringFrom } from "./fields.ts";
import type { Json, JsonCodec } from "./json.ts";

/** The identity codec, for values that are JSON already, whatever their static type. */
export function jsonCodec<T>(): JsonCodec<T> {
  return { snapshot: (value) => value as Json, restore: (state) => state as T };
}

/** Converts a map with any names, also `"__proto__"` and `"constructor"`, which an object cannot hold safely. */
export function mapCodec<T extends Json>(): JsonCodec<Map<string, T>> {
  return {
    snapshot: (map) => [...map],
    restore(state) {
      const entries = listFrom(state).map((entry) => {
        const [name, value] = listFrom(entry);
        return [stringFrom(name), fieldFrom(value) as T] as const;
      });
      return new Map(entries);
    },
  };
}
