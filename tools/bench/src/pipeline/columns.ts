import { readable } from "../report/markdown.ts";
import type { Column } from "../report/markdown.ts";
import { targetsText } from "../rounds/targets.ts";
import type { Ratio } from "./groups.ts";
import type { CaseLine } from "./run-group.ts";

const COMPARED: Readonly<Record<Ratio, string>> = {
  ratioToBareListener: "the bare loop",
  ratioToFloor: "the floor",
  rateToOff: "off",
};

/** What the table of a group tells of each case. */
export const COLUMNS: readonly Column<CaseLine>[] = [
  { heading: "contender", text: ({ contender }) => contender },
  { heading: "CPU µs/event", text: ({ cpuMicrosPerEvent }) => String(cpuMicrosPerEvent) },
  { heading: "to the bare loop", text: ({ ratioToBareListener: ratio }) => times(ratio) },
  { heading: "to the floor", text: ({ ratioToFloor: ratio }) => times(ratio) },
  { heading: "rate to off", text: ({ rateToOff: ratio }) => times(ratio) },
  { heading: "target", text: ({ targets = [] }) => targetsText(targets, COMPARED) },
  { heading: "events/s", text: ({ eventsPerSecond }) => readable(eventsPerSecond) },
  { heading: "latency p50, p99 ms", text: latencyText },
  { heading: "peak MiB", text: ({ rssMiB }) => String(rssMiB) },
];

function latencyText({ latencyP50Ms: p50, latencyP99Ms: p99 }: CaseLine): string | undefined {
  return p50 === undefined || p99 === undefined ? undefined : `${Math.round(p50)}, ${Math.round(p99)}`;
}

function times(ratio: number | undefined): string | undefined {
  return ratio === undefined ? undefined : `${ratio}x`;
}
