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
    result: (registers) => Math.round(estimateOf(registers)),
    snapshot: (registers) => JSON.parse(JSON.stringify(registers.saveAsJSON())) as Json,
    restore: (state) => HyperLogLog.fromJSON(state as never) as HyperLogLog,
  };
}

/**
 * The library's own estimate, where it holds. It counts ranks from 0 on, so that an id leaves its register at
 * "unused" every second time; below about 2.5 ids a register, where it counts unused registers, it comes out at
 * half. Counting the registers with a rank above 0, which every second id sets, gives the whole.
 */
function estimateOf(registers: HyperLogLog): number {
  const { _registers: ranks, nbRegisters } = registers;
  const unset = ranks.filter((rank) => rank === 0).length;
  const counted = 2 * nbRegisters * Math.log(nbRegisters / unset);
  return counted <= 3 * nbRegisters ? counted : registers.count(false);
}
