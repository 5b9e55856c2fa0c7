import { listFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";
import { Verbatim } from "../verbatim.ts";

/** The events' values in a list, as they came (with `ordered`: by timestamp). Values must be JSON. */
export function collectList<V, T = V>(valueOf: (value: V) => T): Fold<V, T[], readonly T[]> {
  const codec = new Verbatim<T>();
  return {
    create: () => [],
    add(list, value) {
      list.push(valueOf(value));
      return list;
    },
    merge(earlier, later) {
      for (const value of later) earlier.push(value);
      return earlier;
    },
    result: (list) => [...list],
    snapshot: (list) => list.map((value) => codec.snapshot(value)),
    restore: (state) => listFrom(state).map((json) => codec.restore(json)),
  };
}
