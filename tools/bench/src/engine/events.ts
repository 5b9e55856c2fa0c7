import type { KeyedBatch } from "@millrace/windowing";

/** An event of the benchmarks: what a parsed line would be, at its smallest. */
export interface TimedEvent {
  readonly ts: number;
}

export type Batches = readonly KeyedBatch<TimedEvent>[];

export interface EventSpec {
  readonly events: number;
  readonly keys: number;
  /** Time from one event to the next. */
  readonly stepMs: number;
  /** This many keys have events at a time, each about a hundred, before the next ones have theirs. @default all */
  readonly activeKeys?: number;
  /** Events lie up to this far before their place. @default 0 */
  readonly disorderMs?: number;
}

const BATCH_EVENTS = 1_000;

/** Batches of events, key after key, always the same ones for a specification. */
export function makeBatches({ events, keys, stepMs, activeKeys = keys, disorderMs = 0 }: EventSpec): Batches {
  const names = Array.from({ length: keys }, (_, index) => `key-${String(index)}`);
  const batches: KeyedBatch<TimedEvent>[] = [];
  for (let from = 0; from < events; from += BATCH_EVENTS) {
    const batchKeys: string[] = [];
    const values: TimedEvent[] = [];
    for (let i = from; i < Math.min(from + BATCH_EVENTS, events); i++) {
      const shift = activeKeys * Math.floor(i / (100 * activeKeys));
      batchKeys.push(at(names, ((scatter(i) % activeKeys) + shift) % keys));
      values.push({ ts: i * stepMs - (disorderMs === 0 ? 0 : scatter(i + 1) % disorderMs) });
    }
    batches.push({ keys: batchKeys, values });
  }
  return batches;
}

/** A fixed permutation of small numbers: neighbours get different keys, as events of many users have. */
function scatter(index: number): number {
  return Math.imul(index, 0x9e3779b1) >>> 0;
}

/** An element that is known to be there: for loops over columns of equal length. */
export function at<T>(list: readonly T[], index: number): T {
  return list[index] as T;
}
