import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { machineLine } from "./report/machine.ts";
import { markdownTable, readable } from "./report/markdown.ts";
import type { Column } from "./report/markdown.ts";
import { soakConfig } from "./soak/config.ts";
import { targetsText } from "./rounds/targets.ts";
import { runSoak } from "./soak/run-soak.ts";
import type { SoakLine } from "./soak/run-soak.ts";
import { SOAKS } from "./soak/soaks.ts";

const COLUMNS: readonly Column<SoakLine>[] = [
  { heading: "case", text: ({ contender }) => contender },
  { heading: "minutes", text: ({ minutes }) => String(minutes) },
  { heading: "events", text: ({ events }) => readable(events) },
  { heading: "MiB early, late, peak", text: (line) => `${line.earlyMiB}, ${line.lateMiB}, ${line.peakMiB}` },
  { heading: "late to early", text: ({ growth }) => `${growth}x` },
  { heading: "the same of Redis", text: ({ redisGrowth }) => `${redisGrowth}x` },
  { heading: "targets", text: ({ targets }) => targetsText(targets) },
  {
    heading: "CPU µs/event early, late",
    text: (line) => `${line.earlyCpuMicrosPerEvent}, ${line.lateCpuMicrosPerEvent}`,
  },
];

/** Runs for a long time, and tells whether memory or cost grows. */
await runProgram("bench soak", soakConfig, ({ config, logger, signal }) =>
  withBed(signal, async (bed) => {
    if (!config.json) process.stdout.write(`${await machineLine(bed.client)}\n\n`);
    const lines: SoakLine[] = [];
    for (const soak of SOAKS) {
      if (!config.cases.includes(soak.name)) continue;
      const line = await runSoak(bed, soak, { ...config, signal, logger });
      if (config.json) process.stdout.write(`${JSON.stringify(line)}\n`);
      lines.push(line);
    }
    if (!config.json) process.stdout.write(`${markdownTable(COLUMNS, lines)}\n`);
  }),
);
