import { numberFrom } from "../fields.ts";
import type { Fold } from "../fold.ts";

/** The number of events. */
export function count(): Fold<unknown, number, number> {
  return {
    kind: "count",
    create: () => 0,
    add: (total) => total + 1,
    split: { read: () => undefined, take: (total: number) => total + 1 },
    merge: (earlier, later) => earlier + later,
    result: (total) => total,
    snapshot: (total) => total,
    restore: numberFrom,
  };
}
