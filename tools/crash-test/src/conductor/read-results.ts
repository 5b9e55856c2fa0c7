import type { Redis } from "ioredis";
import type { TaskKeys } from "@millrace/redis-store";
import { HISTORY, LATE, LATEST } from "../names.ts";
import type { ResultRow } from "../tally.ts";

const PAGE = 5_000;

/** All results of the aggregator in Redis. */
export interface Results {
  /** Every row, oldest first. */
  readonly history: readonly ResultRow[];
  /** The rows of the hashes. */
  readonly latest: readonly ResultRow[];
  /** Number of late events. */
  readonly late: number;
}

/** @param historyFrom start of the history, as for `XRANGE` */
export async function readResults(client: Redis, keys: TaskKeys, historyFrom: string): Promise<Results> {
  const history = (await rowsOf(client, keys.results(HISTORY), historyFrom)).map(parseRow);
  const latest: ResultRow[] = [];
  for await (const hash of hashesUnder(client, `${keys.results(LATEST)}:`)) {
    latest.push(...(await client.hvals(hash)).map(parseRow));
  }
  return { history, latest, late: await client.xlen(keys.results(LATE)) };
}

/** Rows of a stream in the order of writing, from an entry on. */
export async function rowsOf(client: Redis, stream: string, start: string): Promise<readonly string[]> {
  const rows: string[] = [];
  for (let from = start; ;) {
    const entries = await client.xrange(stream, from, "+", "COUNT", PAGE);
    rows.push(...entries.map(([, fields]) => fields[1] ?? ""));
    const last = entries.at(-1);
    if (last === undefined || entries.length < PAGE) return rows;
    from = `(${last[0]}`;
  }
}

async function* hashesUnder(client: Redis, prefix: string): AsyncGenerator<string> {
  const seen = new Set<string>();
  for await (const names of client.scanStream({ match: `${prefix}*`, count: PAGE }) as AsyncIterable<
    readonly string[]
  >) {
    for (const name of names) {
      if (seen.has(name)) continue;
      seen.add(name);
      yield name;
    }
  }
}

/** One row as the aggregator writes it, or as the command does, which writes the whole window. */
export function parseRow(text: string): ResultRow {
  const row: unknown = JSON.parse(text, (_key, value: unknown) => idOf(value) ?? value);
  if (isRow(row)) return row;
  throw new Error(`not a row of results: ${text}`);
}

/** The index of a window that is an object. */
function idOf(value: unknown): number | undefined {
  return typeof value === "object" && value !== null && "id" in value ? Number(value.id) : undefined;
}

function isRow(value: unknown): value is ResultRow {
  if (typeof value !== "object" || value === null) return false;
  const row = new Map(Object.entries(value));
  return ["window", "revision", "events", "numbers"].every((name) => typeof row.get(name) === "number");
}
