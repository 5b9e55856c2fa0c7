import { CASES } from "../engine/cases.ts";
import { makeBatches } from "../engine/events.ts";
import { median, pairedRatios } from "../statistics.ts";

/*
 * Measures one case of the engine, in a process of its own: neither compiled code nor memory of another case has an
 * effect. Both run in alternating turns, so that changes of the machine's speed affect both. Prints the figures.
 * Arguments: the case, a factor for the number of events.
 */
const ROUNDS = 5;

const [name = "", scale = ""] = process.argv.slice(2);
const found = CASES.find(([each]) => each === name);
if (found === undefined) throw new Error(`There is no case ${name}.`);
const [, title, spec, job] = found;
const events = Math.ceil(spec.events * Number(scale));
const batches = makeBatches({ ...spec, events });
const bare = { run: job.bare, ns: [] as number[] };
const engine = { run: job.engine, ns: [] as number[] };
const results = new Set<string>();
for (let round = 0; round <= ROUNDS; round++) {
  for (const { run, ns } of round % 2 === 0 ? [bare, engine] : [engine, bare]) {
    const start = performance.now();
    const tally = run(batches);
    const ms = performance.now() - start;
    results.add(JSON.stringify(tally));
    // The first round warms up the compiler.
    if (round > 0) ns.push((ms * 1e6) / events);
  }
}
if (results.size > 1) throw new Error(`${title}: the engine's results differ from the bare loop's.`);
const figures = {
  "ns/event": median(engine.ns),
  "bare loop": median(bare.ns),
  "to the bare loop": median(pairedRatios(engine.ns, bare.ns)),
  "peak MiB": process.resourceUsage().maxRSS / 1_024,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
