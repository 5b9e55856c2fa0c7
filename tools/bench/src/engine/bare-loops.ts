import { at } from "./events.ts";
import type { Batches } from "./events.ts";

/** The result of the bare loop or of the engine, in a form that can be compared. */
export class Tally {
  rows = 0;
  /** A sum over all rows that depends on key, window and value. */
  check = 0;

  add(key: string, open: number, value: number): void {
    const name = key.length * 31 + key.charCodeAt(key.length - 1);
    this.rows++;
    this.check = (this.check + name * (open % 1_000_003) + value * 7) % 2 ** 48;
  }

  addAll(counts: ReadonlyMap<string, number>, open: number): void {
    for (const [key, value] of counts) this.add(key, open, value);
  }
}

/** Counts per key in tumbling windows, for events in order: floor division, one Map a window, no closures. */
export function countTumbling(batches: Batches, lengthMs: number): Tally {
  const tally = new Tally();
  let current = Number.NaN;
  let counts = new Map<string, number>();
  for (const { keys, values } of batches) {
    for (let i = 0; i < keys.length; i++) {
      const id = Math.floor(at(values, i).ts / lengthMs);
      if (id !== current) {
        tally.addAll(counts, current * lengthMs);
        counts = new Map();
        current = id;
      }
      const key = at(keys, i);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  tally.addAll(counts, current * lengthMs);
  return tally;
}

/** Lists per key in tumbling windows, each sorted at its close. Events lie back by less than a window. */
export function collectTumbling(batches: Batches, lengthMs: number): Tally {
  const tally = new Tally();
  const windows = new Map<number, Map<string, number[]>>();
  const close = (id: number): void => {
    for (const [key, list] of windows.get(id) ?? []) {
      list.sort((a, b) => a - b);
      tally.add(key, id * lengthMs, orderedSum(list));
    }
    windows.delete(id);
  };
  for (const { keys, values } of batches) {
    for (let i = 0; i < keys.length; i++) {
      const { ts } = at(values, i);
      const id = Math.floor(ts / lengthMs);
      let lists = windows.get(id);
      if (lists === undefined) {
        windows.set(id, (lists = new Map<string, number[]>()));
        close(id - 2);
      }
      const key = at(keys, i);
      const list = lists.get(key);
      if (list === undefined) lists.set(key, [ts]);
      else list.push(ts);
    }
  }
  for (const id of windows.keys()) close(id);
  return tally;
}

/** A number that depends on the order of a list. */
export function orderedSum(list: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum += ((i % 7) + 1) * (at(list, i) % 1_000);
  return sum;
}

/** Counts per key in sliding windows, for events in order. */
export function countSliding(batches: Batches, lengthMs: number, offsetMs: number): Tally {
  const tally = new Tally();
  const windows = new Map<number, Map<string, number>>();
  for (const { keys, values } of batches) {
    for (let i = 0; i < keys.length; i++) {
      const { ts } = at(values, i);
      const key = at(keys, i);
      const last = Math.floor(ts / offsetMs);
      for (let id = Math.floor((ts - lengthMs) / offsetMs) + 1; id <= last; id++) {
        let counts = windows.get(id);
        if (counts === undefined) windows.set(id, (counts = new Map<string, number>()));
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      for (const [id, counts] of windows) {
        if (id * offsetMs + lengthMs > ts) break;
        tally.addAll(counts, id * offsetMs);
        windows.delete(id);
      }
    }
  }
  for (const [id, counts] of windows) tally.addAll(counts, id * offsetMs);
  return tally;
}

/** Counts per key and session, for events in order; a session ends at the key's next event after a gap. */
export function countSessions(batches: Batches, gapMs: number): Tally {
  const tally = new Tally();
  const firsts = new Map<string, number>();
  const lasts = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const { keys, values } of batches) {
    for (let i = 0; i < keys.length; i++) {
      const { ts } = at(values, i);
      const key = at(keys, i);
      const last = lasts.get(key);
      if (last !== undefined && ts - last <= gapMs) counts.set(key, (counts.get(key) ?? 0) + 1);
      else {
        if (last !== undefined) tally.add(key, firsts.get(key) ?? 0, counts.get(key) ?? 0);
        firsts.set(key, ts);
        counts.set(key, 1);
      }
      lasts.set(key, ts);
    }
  }
  for (const [key, value] of counts) tally.add(key, firsts.get(key) ?? 0, value);
  return tally;
}
