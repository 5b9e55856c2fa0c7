import { eventLines } from "../lab/tally.ts";
import { lineCounter } from "./common.ts";

/*
 * The same loop over lines in memory, without receiving anything. Prints its CPU time.
 * Arguments: events to warm up with, events to measure.
 */
const [warmUpEvents = "", events = ""] = process.argv.slice(2);
const lines = eventLines();
const count = lineCounter();
run(Number(warmUpEvents));
const before = process.cpuUsage();
const began = performance.now();
run(Number(events));
const elapsedMs = performance.now() - began;
const { user, system } = process.cpuUsage(before);
const peakMiB = process.resourceUsage().maxRSS / 1_024;
process.stdout.write(`${JSON.stringify({ cpuMicros: user + system, elapsedMs, peakMiB })}\n`);

function run(times: number): void {
  for (let i = 0; i < times; i++) count(lines[i % lines.length] ?? "");
}
process.disconnect();
