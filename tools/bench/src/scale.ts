import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { roundsConfig } from "./options.ts";
import { machineLine } from "./report/machine.ts";
import { markdownTable, readable } from "./report/markdown.ts";
import type { Column } from "./report/markdown.ts";
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
    if (!json) process.stdout.write(`${await machineLine(bed.client)}\n`);
    for (const scale of SCALES) {
      if (!cases.includes(scale.name)) continue;
      const lines = await runScale(bed, scale, { ...settings, signal, logger });
      for (const line of json ? lines : []) process.stdout.write(`${JSON.stringify(line)}\n`);
      if (!json) process.stdout.write(`\n### ${scale.title}\n\n${markdownTable(COLUMNS, lines)}\n`);
    }
  }),
);
