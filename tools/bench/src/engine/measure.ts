import { count, createWindowEngine, eventTime, tumbling } from "@millrace/windowing";

import { median } from "../statistics.ts";
import { batchesOf, type BenchCase } from "./cases.ts";
import type { TimedEvent } from "./events.ts";
import { NOW } from "./run-engine.ts";

const ROUNDS = 5;

/** What one case came to. */
export interface Measured {
  readonly case: string;
  readonly title: string;
  readonly nsPerItem: number;
  readonly bareNsPerItem: number;
  readonly ratioToBareLoop: number;
  readonly peakMiB: number;
  /** The ratio that must not be exceeded; absent = told only. */
  readonly atMost?: number;
}

/** Runs both by turns, so that neither has the machine's better moments to itself; the median round counts. */
export function measureCase(bench: BenchCase): Measured {
  const batches = batchesOf(bench);
  const bareTimes: number[] = [];
  const engineTimes: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [bareMs, bare] = timed(() => bench.bare(batches));
    const [engineMs, engine] = timed(() => bench.engine(batches));
    if (bare.rows !== engine.rows || bare.check !== engine.check) {
      throw new Error(`${bench.title}: the engine's results differ from the bare loop's.`);
    }
    // The first round warms up the compiler.
    if (round === 0) continue;
    bareTimes.push(bareMs);
    engineTimes.push(engineMs);
  }
  const perItem = 1e6 / bench.events.events;
  const bareNs = median(bareTimes) * perItem;
  const engineNs = median(engineTimes) * perItem;
  return {
    case: bench.name,
    title: bench.title,
    nsPerItem: rounded(engineNs),
    bareNsPerItem: rounded(bareNs),
    ratioToBareLoop: rounded(engineNs / bareNs),
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    ...(bench.atMost === undefined ? {} : { atMost: bench.atMost }),
  };
}

/** What a window of many keys costs to hold and to close. */
export interface MeasuredWindow {
  /** Heap per key, the key's own text included. */
  readonly bytesPerKey: number;
  /** The longest time that one page of closing rows takes. */
  readonly longestPageMs: number;
}

export function measureLargeWindow(): MeasuredWindow {
  const keys = 1_000_000;
  const engine = createWindowEngine({
    windower: tumbling(keys),
    clock: eventTime(({ ts }: TimedEvent) => ts, { wait: 0 }),
    fold: count(),
    pageSize: 5_000,
  });
  const before = heapBytes();
  // Each batch is garbage once it is in: what is left on the heap is the engine's state, the keys' text included.
  for (let key = 0; key < keys; key++)
    engine.process({ keys: [`user-${String(key)}`], values: [{ ts: key }] }, NOW);
  const bytesPerKey = rounded((heapBytes() - before) / keys);
  let [longestPageMs, page] = timed(() => engine.finish("end"));
  let rows = page.results.length;
  while (engine.pending) {
    const [pageMs, next] = timed(() => engine.nextPage());
    page = next;
    rows += page.results.length;
    longestPageMs = Math.max(longestPageMs, pageMs);
  }
  if (rows !== keys) throw new Error(`Closing in pages gave ${String(rows)} rows for ${String(keys)} keys.`);
  return { bytesPerKey, longestPageMs: rounded(longestPageMs) };
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function timed<T>(run: () => T): readonly [ms: number, result: T] {
  const start = performance.now();
  const result = run();
  return [performance.now() - start, result];
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
