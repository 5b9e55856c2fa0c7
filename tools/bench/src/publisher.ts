import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { roundsConfig } from "./options.ts";
import { PUBLISHER_GROUPS, runPublisher } from "./publisher/run-publisher.ts";
import type { PublisherLine } from "./publisher/run-publisher.ts";
import { machineLine } from "./report/machine.ts";
import { markdownTable, readable } from "./report/markdown.ts";
import type { Column } from "./report/markdown.ts";
import { targetsText } from "./rounds/targets.ts";

const COLUMNS: readonly Column<PublisherLine>[] = [
  { heading: "contender", text: ({ contender }) => contender },
  { heading: "events/s", text: ({ eventsPerSecond }) => readable(eventsPerSecond) },
  {
    heading: "to the bare loop",
    text: ({ rateToBareLoop: ratio }) => (ratio === undefined ? "" : `${ratio}x`),
  },
  { heading: "target", text: ({ targets = [] }) => targetsText(targets) },
];

const config = roundsConfig({
  name: "bench publisher",
  description:
    "Measures the publisher beside a pipeline loop that people write by hand, with the same bytes.",
  cases: PUBLISHER_GROUPS.map(({ name }) => name),
  what: "how events are packed",
});

/** Measures the publisher beside a loop written by hand. */
await runProgram("bench publisher", config, ({ config: { cases, json, ...settings }, logger, signal }) =>
  withBed(signal, async (bed) => {
    if (!json) process.stdout.write(`${await machineLine(bed.client)}\n`);
    for (const group of PUBLISHER_GROUPS) {
      if (!cases.includes(group.name)) continue;
      const lines = await runPublisher(bed, group, { ...settings, signal, logger });
      for (const line of json ? lines : []) process.stdout.write(`${JSON.stringify(line)}\n`);
      if (!json) process.stdout.write(`\n### ${group.title}\n\n${markdownTable(COLUMNS, lines)}\n`);
    }
  }),
);
