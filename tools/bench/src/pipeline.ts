import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { pipelineConfig } from "./pipeline/config.ts";
import { GROUPS } from "./pipeline/groups.ts";
import { runGroup } from "./pipeline/run-group.ts";
import { groupTable } from "./pipeline/table.ts";
import { machineLine } from "./report/machine.ts";

/** Measures publisher, Redis and aggregator, beside the loops that people write by hand. */
await runProgram("bench pipeline", pipelineConfig, ({ config, logger, signal }) =>
  withBed(signal, async (bed) => {
    if (!config.json) process.stdout.write(`${await machineLine(bed.client)}\n`);
    for (const group of GROUPS) {
      if (!config.groups.includes(group.name)) continue;
      const lines = await runGroup(bed, group, { ...config, signal, logger });
      for (const line of config.json ? lines : []) process.stdout.write(`${JSON.stringify(line)}\n`);
      if (!config.json) process.stdout.write(`\n${groupTable(group.title, lines)}\n`);
    }
  }),
);
