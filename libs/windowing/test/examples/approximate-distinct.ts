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
 * The library's estimate for many ids. For few ones it takes the logarithm to base 10 where linear counting
 * wants the natural one, and comes out at less than half: counting the empty registers here sets that right.
 */
function estimateOf(registers: HyperLogLog): number {
  const { _registers: ranks, nbRegisters } = registers;
  const empty = ranks.filter((rank) => rank === 0).length;
  const linear = nbRegisters * Math.log(nbRegisters / empty);
  return linear <= 2.5 * nbRegisters ? linear : registers.count(false);
}
