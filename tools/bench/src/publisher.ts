import { runProgram } from "@millrace/cli";
import { withBed } from "./conductor/with-bed.ts";
import { roundsConfig } from "./options.ts";
import { PUBLISHER_GROUPS, runPublisher } from "./publisher/run-publisher.ts";
import type { PublisherLine } from "./publisher/run-publisher.ts";
import { readable } from "./report/markdown.ts";
import type { Column } from "./report/markdown.ts";
import { printGroups } from "./report/print-groups.ts";
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
    const groups = PUBLISHER_GROUPS.filter(({ name }) => cases.includes(name));
    await printGroups(bed, groups, { json, columns: COLUMNS }, (group) =>
      runPublisher(bed, group, { ...settings, signal, logger }),
    );
  }),
);
