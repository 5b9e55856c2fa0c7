import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { pipelineConfig } from "./pipeline/config.ts";
import { GROUPS } from "./pipeline/groups.ts";
import { runGroup } from "./pipeline/run-group.ts";
import { COLUMNS } from "./pipeline/columns.ts";
import { printGroups } from "./report/print-groups.ts";

/** Measures publisher, Redis and aggregator, beside the loops that people write by hand. */
await runProgram("bench pipeline", pipelineConfig, ({ config, logger, signal }) =>
  withBed(signal, async (bed) => {
    const groups = GROUPS.filter(({ name }) => config.groups.includes(name));
    await printGroups(bed, groups, { json: config.json, columns: COLUMNS }, (group) =>
      runGroup(bed, group, { ...config, signal, logger }),
    );
  }),
);
