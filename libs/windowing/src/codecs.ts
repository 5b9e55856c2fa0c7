import { fieldFrom, listFrom, stringFrom } from "./fields.ts";
import type { Json, JsonCodec } from "./json.ts";

/** Keeps values as they are: for those that are JSON already, whatever the compiler knows of their type. */
export function jsonCodec<T>(): JsonCodec<T> {
  return { snapshot: (value) => value as Json, restore: (state) => state as T };
}

/** Keeps a map, whose names may be any text, unlike those of an object: `"__proto__"` and `"constructor"` too. */
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
