import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { CASES } from "./engine/cases.ts";
import { measureCase, measureLargeWindow, type Measured, type MeasuredWindow } from "./engine/measure.ts";

type Line = Measured & Partial<MeasuredWindow>;

/** Every case in a process of its own: neither compiled code nor memory of one tells on the next. */
function main(): void {
  const { values } = parseArgs({
    options: { json: { type: "boolean" }, case: { type: "string" }, child: { type: "string" } },
  });
  if (values.child !== undefined) {
    console.log(JSON.stringify(measure(values.child)));
    return;
  }
  for (const { name } of CASES) {
    if (values.case !== undefined && values.case !== name) continue;
    const line = inChild(name);
    console.log(values.json === true ? line : describe(JSON.parse(line) as Line));
  }
}

function measure(name: string): Line {
  const bench = CASES.find((candidate) => candidate.name === name);
  if (bench === undefined) throw new Error(`There is no case ${name}.`);
  const measured = measureCase(bench);
  return bench.largeWindow === true ? { ...measured, ...measureLargeWindow() } : measured;
}

function inChild(name: string): string {
  const file = fileURLToPath(import.meta.url);
  const command = ["--expose-gc", ...process.execArgv, file, `--child=${name}`];
  return execFileSync(process.execPath, command, { encoding: "utf8" }).trim();
}

function describe(line: Line): string {
  const target = line.atMost === undefined ? "" : ` (at most ${String(line.atMost)})`;
  const parts = [
    `${String(line.nsPerItem)} ns an item`,
    `bare loop ${String(line.bareNsPerItem)}`,
    `ratio ${String(line.ratioToBareLoop)}${target}`,
    `peak ${String(line.peakMiB)} MiB`,
  ];
  if (line.bytesPerKey !== undefined) parts.push(`${String(line.bytesPerKey)} bytes of state a key`);
  if (line.longestPageMs !== undefined) parts.push(`longest page ${String(line.longestPageMs)} ms`);
  return `${line.case}: ${line.title}: ${parts.join(", ")}`;
}

main();
