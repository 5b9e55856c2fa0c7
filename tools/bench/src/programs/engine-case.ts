import { count, createWindowEngine, eventTime, tumbling } from "@millrace/windowing";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { CASES, NOW } from "../engine/cases.ts";
import type { EngineCase } from "../engine/cases.ts";
import { makeBatches } from "../engine/events.ts";
import type { TimedEvent } from "../engine/events.ts";
import { runRounds } from "../rounds.ts";
import type { Figures, Turn } from "../rounds.ts";
import { median, pairedRatio } from "../statistics.ts";

/*
 * Measures one case of the engine, in a process of its own: neither compiled code nor memory of another case has an
 * effect. Prints its figures.
 * Argument: the case.
 */
const ROUNDS = 5;

const bench = CASES.find(({ name }) => name === process.argv[2]);
if (bench === undefined) throw new Error(`There is no case ${process.argv[2] ?? ""}.`);
const figures = {
  ...(await measureCase(bench)),
  ...(bench.largeWindow === true ? measureLargeWindow() : {}),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

/** Runs both in alternating turns, so that changes of the machine's speed affect both. */
async function measureCase({ title, events, bare, engine }: EngineCase): Promise<Figures> {
  const batches = makeBatches(events);
  const results = new Set<string>();
  const turn = (name: string, run: EngineCase["bare"]): Turn => ({
    case: name,
    measure: () => {
      const [ms, tally] = timed(() => run(batches));
      results.add(JSON.stringify(tally));
      return Promise.resolve({ ns: (ms * 1e6) / events.events });
    },
  });
  const rounds = await runRounds([turn("bare", bare), turn("engine", engine)], { rounds: ROUNDS + 1 });
  if (results.size > 1) throw new Error(`${title}: the engine's results differ from the bare loop's.`);
  // The first round warms up the compiler.
  const nsOf = (name: string): readonly number[] =>
    (rounds.get(name) ?? []).slice(1).map(({ ns = NaN }) => ns);
  const [bareNs, engineNs] = [nsOf("bare"), nsOf("engine")];
  return {
    nsPerItem: median(engineNs),
    bareNsPerItem: median(bareNs),
    ratioToBareLoop: pairedRatio(engineNs, bareNs),
    peakMiB: process.resourceUsage().maxRSS / 1_024,
  };
}

/** What a window of many keys costs to hold (heap per key, with its text) and to close (the longest page of rows). */
function measureLargeWindow(): Figures {
  const keys = 1_000_000;
  const engine = createWindowEngine({
    windower: tumbling(keys),
    clock: eventTime(({ ts }: TimedEvent) => ts, { wait: 0 }),
    fold: count(),
    pageSize: 5_000,
  });
  const before = heapBytes();
  // Each batch is garbage after it was pushed: the heap then holds the engine's state, with the text of the keys.
  for (let key = 0; key < keys; key++)
    engine.process({ keys: [`user-${String(key)}`], values: [{ ts: key }] }, NOW);
  const bytesPerKey = (heapBytes() - before) / keys;
  let [longestPageMs, page] = timed(() => engine.finish("end"));
  let rows = page.results.length;
  while (engine.pending) {
    const [pageMs, next] = timed(() => engine.nextPage());
    page = next;
    rows += page.results.length;
    longestPageMs = Math.max(longestPageMs, pageMs);
  }
  if (rows !== keys) throw new Error(`Closing in pages gave ${String(rows)} rows for ${String(keys)} keys.`);
  return { bytesPerKey, longestPageMs };
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

function timed<T>(run: () => T): readonly [ms: number, result: T] {
  const start = performance.now();
  const result = run();
  return [performance.now() - start, result];
}
