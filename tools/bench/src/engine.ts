import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { CASES } from "./engine/cases.ts";
import { measureCase, measureLargeWindow, type Measured, type MeasuredWindow } from "./engine/measure.ts";

/** Every case in a process of its own: neither compiled code nor memory of one tells on the next. */
function main(): void {
  const { values } = parseArgs({
    options: { json: { type: "boolean" }, case: { type: "string" }, child: { type: "string" } },
  });
  if (values.child !== undefined) {
    console.log(JSON.stringify(measure(values.child)));
    return;
  }
  const names = [...CASES.map(({ name }) => name), "h"].filter((name) => name.startsWith(values.case ?? ""));
  let missed = 0;
  for (const name of names) {
    const line = inChild(name);
    const measured = JSON.parse(line) as Measured | MeasuredWindow;
    if ("atMost" in measured && measured.ratioToBareLoop > measured.atMost) missed++;
    console.log(values.json === true ? line : describe(measured));
  }
  if (values.json !== true && missed > 0) console.log(`${String(missed)} of the targets missed`);
}

function measure(name: string): Measured | MeasuredWindow {
  const bench = CASES.find((candidate) => candidate.name === name);
  return bench === undefined ? measureLargeWindow() : measureCase(bench);
}

function inChild(name: string): string {
  const file = fileURLToPath(import.meta.url);
  return execFileSync(process.execPath, ["--expose-gc", ...process.execArgv, file, `--child=${name}`], {
    encoding: "utf8",
  }).trim();
}

function describe(measured: Measured | MeasuredWindow): string {
  if ("bytesPerKey" in measured) {
    return `${measured.case}: ${String(measured.bytesPerKey)} bytes a key, longest page ${String(measured.longestPageMs)} ms`;
  }
  const { nsPerItem, bareNsPerItem, ratioToBareLoop, peakMiB, atMost } = measured;
  const target = atMost === undefined ? "" : ` (target ${String(atMost)})`;
  return (
    `${measured.case}: ${String(nsPerItem)} ns an item, bare loop ${String(bareNsPerItem)}, ` +
    `ratio ${String(ratioToBareLoop)}${target}, peak ${String(peakMiB)} MiB`
  );
}

main();
