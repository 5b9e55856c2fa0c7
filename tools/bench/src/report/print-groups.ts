import type { Bed } from "../conductor/bed.ts";
import { machineLine } from "./machine.ts";
import { markdownTable } from "./markdown.ts";
import type { Column } from "./markdown.ts";

/** Something that is measured by itself, and told by itself as soon as it is. */
export interface Group {
  readonly name: string;
  readonly title: string;
}

/** How lines are printed. */
export interface PrintSettings<Line> {
  readonly json: boolean;
  readonly columns: readonly Column<Line>[];
}

/** Runs groups one after another and prints what comes of each: tables behind the machine's name, or JSON lines. */
export async function printGroups<G extends Group, Line>(
  bed: Bed,
  groups: readonly G[],
  { json, columns }: PrintSettings<Line>,
  run: (group: G) => Promise<readonly Line[]>,
): Promise<void> {
  if (!json) process.stdout.write(`${await machineLine(bed.client)}\n`);
  for (const group of groups) {
    const lines = await run(group);
    for (const line of json ? lines : []) process.stdout.write(`${JSON.stringify(line)}\n`);
    if (!json) process.stdout.write(`\n### ${group.title}\n\n${markdownTable(columns, lines)}\n`);
  }
}
