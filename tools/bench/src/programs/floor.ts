import { eventLines } from "../lab/tally.ts";
import { perEvent } from "../lab/usage.ts";
import { lineCounter } from "./common.ts";

/*
 * The same loop over lines in memory, without receiving anything. Prints its figures.
 * Arguments: events to warm up with, events to measure.
 */
const [warmUp = 0, events = 0] = process.argv.slice(2).map(Number);
const lines = eventLines();
const count = lineCounter();
run(warmUp);
const before = process.cpuUsage();
const began = performance.now();
run(events);
const elapsedMs = performance.now() - began;
const { user, system } = process.cpuUsage(before);
const figures = perEvent(events, user + system, elapsedMs, process.resourceUsage().maxRSS / 1_024);
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.disconnect();

function run(times: number): void {
  for (let i = 0; i < times; i++) count(lines[i % lines.length] ?? "");
}
