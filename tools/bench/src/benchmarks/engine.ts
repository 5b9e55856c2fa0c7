import type { Benchmark } from "../benchmark.ts";
import { CASES } from "../engine/cases.ts";
import { selfMeasured } from "../lab/contenders.ts";
import { figures, readable, targets, times } from "../table.ts";

/** The window engine beside bare loops, in memory: each case in a process of its own, with rounds of its own. */
export const engine: Benchmark = {
  name: "engine",
  description: "Measures the window engine beside bare loops over the same events, in memory.",
  rounds: 1,
  groups: [
    {
      cases: CASES.map(([name, title, , , atMost]) => ({
        name,
        choice: name,
        contender: title,
        measure: ({ scale }) => selfMeasured("engine-case", [name, scale]),
        ...(atMost !== undefined && { targets: [{ ratio: "ratioToBareLoop", atMost }] }),
      })),
    },
  ],
  columns: [
    ["case", (line) => `${line.case.name}: ${line.case.contender}`],
    figures("ns/event", ["nsPerItem"]),
    figures("bare loop", ["bareNsPerItem"]),
    figures("to the bare loop", ["ratioToBareLoop"], times),
    targets(),
    figures("peak MiB", ["peakMiB"], readable),
  ],
};
