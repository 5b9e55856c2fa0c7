import { CASES } from "../engine/cases.ts";
import { makeBatches } from "../engine/events.ts";

/*
 * Measures one case of the engine, in a process of its own: neither compiled code nor memory of another case has an
 * effect. Prints the shortest time of each.  Arguments: the case, a factor for the number of events.
 */
const ROUND = ["bare", "engine", "engine", "bare"] as const;

const [name = "", scale = ""] = process.argv.slice(2);
const found = CASES.find(([each]) => each === name);
if (found === undefined) throw new Error(`There is no case ${name}.`);
const [, title, spec, job] = found;
const events = Math.ceil(spec.events * Number(scale));
const batches = makeBatches({ ...spec, events });
const ns = { bare: Infinity, engine: Infinity };
const results = new Set<string>();
for (const each of [...ROUND, ...ROUND, ...ROUND, ...ROUND, ...ROUND]) {
  const start = performance.now();
  const tally = job[each](batches);
  ns[each] = Math.min(((performance.now() - start) * 1e6) / events, ns[each]);
  results.add(JSON.stringify(tally));
}
if (results.size > 1) throw new Error(`${title}: the engine's results differ from the bare loop's.`);
const figures = {
  "ns/event": ns.engine,
  "bare loop": ns.bare,
  "to the bare loop": ns.engine / ns.bare,
  "peak MiB": process.resourceUsage().maxRSS / 1_024,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
