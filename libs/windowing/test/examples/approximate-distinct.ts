import { HyperLogLog } from "bloom-filters";

import type { Fold, Json } from "../../src/index.ts";

const REGISTERS = 1_024;

/** About how many different ids a window's events have, in a fixed amount of memory (here within some percent). */
export function approximateDistinct<V>(idOf: (value: V) => string): Fold<V, HyperLogLog, number> {
  return {
    create: () => new HyperLogLog(REGISTERS),
    add(registers, value) {
      registers.update(idOf(value));
      return registers;
    },
    merge: (earlier, later) => earlier.merge(later),
    result: (registers) => Math.round(registers.count(false)),
    snapshot: (registers) => JSON.parse(JSON.stringify(registers.saveAsJSON())) as Json,
    restore: (state) => HyperLogLog.fromJSON(state as never) as HyperLogLog,
  };
}
