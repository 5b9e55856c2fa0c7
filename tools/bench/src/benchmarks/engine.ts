import type { Benchmark } from "../benchmark.ts";
import { CASES } from "../engine/cases.ts";
import { selfMeasured } from "../lab/programs.ts";

export const engine: Benchmark = {
  name: "engine",
  description: "Measures the window engine beside bare loops over the same events, in memory.",
  rounds: 1,
  groups: [
    {
      name: "all",
      cases: CASES.map(([name, title, , , atMost]) => ({
        name,
        contender: `${name}: ${title}`,
        measure: ({ scale }) => selfMeasured("engine-case", name, scale),
        ratios: [{ heading: "to the bare loop", atMost }],
      })),
    },
  ],
};
