import { at } from "./events.ts";
import type { Batches } from "./events.ts";

/** The result of the bare loop or of the engine, in a form that can be compared. */
export interface Tally {
  rows: number;
  /** A sum over all rows that depends on key, window and value. */
  check: number;
}

/** Adds one row to a tally. */
export function tallyRow(tally: Tally, key: string, open: number, value: number): void {
  tally.rows++;
  tally.check =
    (tally.check + (key.length * 31 + key.charCodeAt(key.length - 1)) * (open % 1_000_003) + value * 7) %
    2 ** 48;
}

/** Counts per key in tumbling windows, for events in order: floor division, one Map a window, no closures. */
export function countTumbling(batches: Batches, lengthMs: number): Tally {
  const tally = { rows: 0, check: 0 };
  let current = Number.NaN;
  let counts = new Map<string, number>();
  for (const { keys, values } of batches) {
    for (let i = 0; i < keys.length; i++) {
      const id = Math.floor(at(values, i).ts / lengthMs);
      if (id !== current) {
        for (const [key, value] of counts) tallyRow(tally, key, current * lengthMs, value);
        counts = new Map();
        current = id;
      }
      const key = at(keys, i);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  for (const [key, value] of counts) tallyRow(tally, key, current * lengthMs, value);
  return tally;
}

/** Lists per key in tumbling windows, each sorted at its close. */
export function collectTumbling(batches: Batches, lengthMs: number): Tally {
  const tally = { rows: 0, check: 0 };
  const windows = new Map<number, Map<string, number[]>>();
  const close = (id: number, lists: Map<string, number[]>): void => {
    for (const [key, list] of lists) {
      list.sort((a, b) => a - b);
      tallyRow(tally, key, id * lengthMs, orderedSum(list));
    }
  };
  for (const { keys, values } of batches) {
    for (let i = 0; i < keys.length; i++) {
      const { ts } = at(values, i);
      const id = Math.floor(ts / lengthMs);
      let lists = windows.get(id);
      if (lists === undefined) {
        lists = new Map();
        windows.set(id, lists);
        // Events lie back by less than a window, so that the one before the last is complete.
        const done = windows.get(id - 2);
        if (done !== undefined) close(id - 2, done);
        windows.delete(id - 2);
      }
      const key = at(keys, i);
      const list = lists.get(key);
      if (list === undefined) lists.set(key, [ts]);
      else list.push(ts);
    }
  }
  for (const [id, lists] of windows) close(id, lists);
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
  const tally = { rows: 0, check: 0 };
  const windows = new Map<number, Map<string, number>>();
  for (const { keys, values } of batches) {
    for (let i = 0; i < keys.length; i++) {
      const { ts } = at(values, i);
      const key = at(keys, i);
      const last = Math.floor(ts / offsetMs);
      for (let id = Math.floor((ts - lengthMs) / offsetMs) + 1; id <= last; id++) {
        let counts = windows.get(id);
        if (counts === undefined) {
          counts = new Map();
          windows.set(id, counts);
        }
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      for (const [id, counts] of windows) {
        if (id * offsetMs + lengthMs > ts) break;
        for (const [name, value] of counts) tallyRow(tally, name, id * offsetMs, value);
        windows.delete(id);
      }
    }
  }
  for (const [id, counts] of windows) {
    for (const [name, value] of counts) tallyRow(tally, name, id * offsetMs, value);
  }
  return tally;
}

/** Counts per key and session, for events in order; a session ends at the key's next event after a gap. */
export function countSessions(batches: Batches, gapMs: number): Tally {
  const tally = { rows: 0, check: 0 };
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
        if (last !== undefined) tallyRow(tally, key, firsts.get(key) ?? 0, counts.get(key) ?? 0);
        firsts.set(key, ts);
        counts.set(key, 1);
      }
      lasts.set(key, ts);
    }
  }
  for (const [key, value] of counts) tallyRow(tally, key, firsts.get(key) ?? 0, value);
  return tally;
}
