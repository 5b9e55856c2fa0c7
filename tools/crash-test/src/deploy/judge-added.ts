import { partitionNames } from "@millrace/redis-source";
import { TaskKeys } from "@millrace/redis-store";
import type { Redis } from "ioredis";
import type { TestEvent } from "../click.ts";
import { cellOf } from "../conductor/expected.ts";
import type { Tallies } from "../conductor/expected.ts";
import { rowsOf } from "../conductor/read-results.ts";
import { CHANNEL, FLOW } from "../names.ts";
import { addTallies } from "../tally.ts";
import type { Tally } from "../tally.ts";
import { CONTINUED, NUMBERED, RECENT, RECENT_EVERY_MS, RECENT_MS } from "./versions.ts";
import type { Numbered, RecentRow } from "./versions.ts";

/** A deployment of the version with the added steps. */
export interface Added {
  /** Its number. */
  readonly deployment: number;
  /** The version before had ended (ms): the added windows that open later are read whole. */
  readonly since: number;
  /** It is the last one, and closes all windows. */
  readonly closes: boolean;
}

/** Describes what is wrong with the rows of the added steps, and of the one that all versions have; empty: nothing. */
export async function judgeSteps(
  client: Redis,
  partitions: number,
  published: readonly TestEvent[],
  deployments: readonly Added[],
): Promise<readonly string[]> {
  const parts = partitionNames(CHANNEL, partitions);
  const rowsIn = async <T>(output: string): Promise<readonly T[]> => {
    const streams = parts.map((part) => new TaskKeys({ flow: FLOW, part }).results(output));
    const rows = await Promise.all(streams.map((stream) => rowsOf(client, stream, "-")));
    return rows.flat().map((row) => JSON.parse(row) as T);
  };
  return [
    ...judgeAdded(await rowsIn<Numbered>(NUMBERED), deployments.length),
    ...judgeContinued(await rowsIn<Numbered>(CONTINUED), published),
    ...judgeRecent(await rowsIn<RecentRow>(RECENT), published, deployments),
  ];
}

/** The step that was added numbers a key's events from 1 after each deployment, without a gap and none twice. */
function judgeAdded(rows: readonly Numbered[], deployments: number): readonly string[] {
  const problems = rows.length === 0 ? ["the added step has no rows"] : [];
  const last = new Map<string, { readonly number: number; readonly begun: number }>();
  for (const { key, number } of rows) {
    const before = last.get(key) ?? { number: 0, begun: 1 };
    const begun = number === 1 && before.number > 0 ? before.begun + 1 : before.begun;
    if ((number !== 1 && number !== before.number + 1) || begun > deployments) {
      problems.push(`the added step numbered an event of ${key} ${number} after ${before.number}`);
    }
    last.set(key, { number, begun });
  }
  return problems;
}

/** The step that all versions have numbers all events of a key. */
function judgeContinued(rows: readonly Numbered[], published: readonly TestEvent[]): readonly string[] {
  const problems: string[] = [];
  const numbers = new Map<string, number>();
  for (const { key, number } of rows) {
    const before = numbers.get(key) ?? 0;
    if (number !== before + 1) problems.push(`an event of ${key} is number ${number} after ${before}`);
    numbers.set(key, number);
  }
  for (const [key, events] of countOf(published)) {
    const number = numbers.get(key) ?? 0;
    if (number !== events) problems.push(`the last event of ${key} is number ${number} instead of ${events}`);
  }
  return problems;
}

function countOf(events: readonly TestEvent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { key } of events) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/**
 * Every row of the added windows has all events of its window, once. Those that open after a deployment are all there, up to
 * the last one that it has closed.
 */
function judgeRecent(
  rows: readonly RecentRow[],
  published: readonly TestEvent[],
  deployments: readonly Added[],
): readonly string[] {
  const closed = deployments.some(({ closes }) => closes);
  const problems = closed && rows.length === 0 ? ["the added windows have no rows"] : [];
  const expected = recentOf(published);
  const seen = new Set<string>();
  for (const { key, open, events, numbers } of rows) {
    const cell = cellOf(open, key);
    if (seen.has(cell)) problems.push(`the added window ${cell} has two rows`);
    seen.add(cell);
    const tally = expected.get(cell);
    if (tally?.events !== events || tally.numbers !== numbers) {
      problems.push(`the added window ${cell} has ${events} events instead of ${tally?.events ?? 0}`);
    }
  }
  for (const { deployment, since, closes } of deployments) {
    const own = rows.filter((row) => row.deployment === deployment);
    // A stop in between two pages of a close may have left out keys of the last one.
    const last = closes ? Infinity : Math.max(...own.map(({ open }) => open));
    for (const cell of expected.keys()) {
      const open = Number(cell.slice(0, cell.indexOf(" ")));
      if (open > since && open < last && !seen.has(cell))
        problems.push(`the added window ${cell} has no row`);
    }
  }
  return problems;
}

function recentOf(published: readonly TestEvent[]): Tallies {
  const tallies = new Map<string, Tally>();
  for (const { key, number, published: at = Number.NaN } of published) {
    const one = { events: 1, numbers: number };
    const last = Math.floor(at / RECENT_EVERY_MS) * RECENT_EVERY_MS;
    for (let open = last; open > at - RECENT_MS; open -= RECENT_EVERY_MS) {
      const cell = cellOf(open, key);
      const before = tallies.get(cell);
      tallies.set(cell, before === undefined ? one : addTallies(before, one));
    }
  }
  return tallies;
}
