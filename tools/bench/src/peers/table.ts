import { markdownTable, readable } from "../report/markdown.ts";
import type { Column } from "../report/markdown.ts";
import { targetsText } from "../rounds/targets.ts";
import type { PeerFigures, PeerLine } from "./run-peers.ts";

const REASON_LENGTH = 160;

const COLUMNS: readonly Column<PeerLine>[] = [
  { heading: "contender", text: ({ contender }) => contender },
  { heading: "version", text: figure(({ version }) => version) },
  { heading: "CPU µs/event", text: figure(({ cpuMicrosPerEvent }) => String(cpuMicrosPerEvent)) },
  { heading: "events per CPU second", text: figure((line) => readable(line.eventsPerCpuSecond)) },
  {
    heading: "Millrace is N times as fast",
    text: figure(({ ratioToPeer: ratio }) => (ratio === undefined ? undefined : `${ratio}x`)),
  },
  { heading: "target", text: figure(({ targets = [] }) => targetsText(targets)) },
  { heading: "events/s", text: figure(({ eventsPerSecond }) => readable(eventsPerSecond)) },
  { heading: "peak MiB", text: figure(({ rssMiB }) => String(rssMiB)) },
  { heading: "not run", text: (line) => ("notRun" in line ? shortened(line.notRun) : undefined) },
];

/** Millrace and its peers as a Markdown table. */
export function peersTable(lines: readonly PeerLine[]): string {
  return markdownTable(COLUMNS, lines);
}

/** What is in a cell of somebody who was run. */
function figure(text: Column<PeerFigures>["text"]): Column<PeerLine>["text"] {
  return (line) => ("notRun" in line ? undefined : text(line));
}

/** A program that fails may have said much before; all of it is in the log. */
function shortened(reason: string): string {
  return reason.length > REASON_LENGTH ? `${reason.slice(0, REASON_LENGTH)}…` : reason;
}
