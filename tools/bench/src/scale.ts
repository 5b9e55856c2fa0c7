import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { roundsConfig } from "./options.ts";
import { readable } from "./report/markdown.ts";
import type { Column } from "./report/markdown.ts";
import { printGroups } from "./report/print-groups.ts";
import { targetsText } from "./rounds/targets.ts";
import { runScale } from "./scale/run-scale.ts";
import type { ScaleLine } from "./scale/run-scale.ts";
import { SCALES } from "./scale/scales.ts";

const COLUMNS: readonly Column<ScaleLine>[] = [
  { heading: "case", text: ({ contender }) => contender },
  { heading: "CPU µs/event", text: ({ cpuMicrosPerEvent }) => String(cpuMicrosPerEvent) },
  {
    heading: "to the small case",
    text: ({ ratioToSmall: ratio }) => (ratio === undefined ? "" : `${ratio}x`),
  },
  { heading: "target", text: ({ targets = [] }) => targetsText(targets) },
  { heading: "events/s", text: ({ eventsPerSecond }) => readable(eventsPerSecond) },
  { heading: "peak MiB", text: ({ rssMiB }) => String(rssMiB) },
];

const config = roundsConfig({
  name: "bench scale",
  description: "Tells whether an event costs the same when there are more of them, or more partitions.",
  cases: SCALES.map(({ name }) => name),
  what: "what grows",
});

/** Tells whether the cost of an event stays the same as things grow. */
await runProgram("bench scale", config, ({ config: { cases, json, ...settings }, logger, signal }) =>
  withBed(signal, async (bed) => {
    const groups = SCALES.filter(({ name }) => cases.includes(name));
    await printGroups(bed, groups, { json, columns: COLUMNS }, (group) =>
      runScale(bed, group, { ...settings, signal, logger }),
    );
  }),
);
