import { setTimeout as pause } from "node:timers/promises";
import { SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import { connectRedis } from "@millrace/redis-source";
import type { RedisConnection } from "@millrace/redis-source";
import type { ClickEvent } from "@millrace/event-schema";

/** A row of mobile-counts as Redis keeps it. */
export interface KeptRow {
  readonly timezone: string;
  readonly num_mobile_users: number;
  readonly window: { readonly open: number; readonly close: number };
  readonly revision: number;
  readonly complete: unknown;
}

/** The rows of all windows that Redis keeps of a flow, by partition. */
export function keptRows(
  url: string,
  parts: readonly string[],
  flow = "mobile_counts",
): Promise<readonly (readonly KeptRow[])[]> {
  return withRedis(url, (client) => Promise.all(parts.map((part) => rowsOf(client, part, flow))));
}

/** Resolves when Redis keeps at least so many rows of a part. */
export function rowsKept(url: string, part: string, least: number): Promise<void> {
  return withRedis(url, (client) =>
    eventually(async () => (await rowsOf(client, part, "mobile_counts")).length >= least),
  );
}

/** Resolves when `check` has returned true. The pause leaves the machine to the programs that it waits for. */
export async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await pause(10);
}

async function rowsOf(client: Client, part: string, flow: string): Promise<readonly KeptRow[]> {
  const tagged = part.startsWith("{") ? part : `{${part}}`;
  const windows = await client.keys(`millrace:${tagged}:${flow}:results:out:*`);
  const hashes = await Promise.all(windows.map((window) => client.hvals(window)));
  return hashes.flat().map((row) => JSON.parse(row) as KeptRow);
}

type Client = Awaited<ReturnType<RedisConnection["whenUp"]>>;

/** Connects, and disconnects after `use`. */
export async function withRedis<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await connectRedis({ url }, { role: "test", logger: SILENT_LOGGER, time: SYSTEM_TIME });
  try {
    return await use(await connection.whenUp());
  } finally {
    await connection.close();
  }
}

/** Sums over all windows, by time zone. */
export function sumsOf(rows: readonly KeptRow[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { timezone, num_mobile_users } of rows) {
    sums.set(timezone, (sums.get(timezone) ?? 0) + num_mobile_users);
  }
  return sums;
}

/** The same from the events themselves. */
export function sumsOfLines(lines: readonly string[]): ReadonlyMap<string, number> {
  const clicks = lines.map((line) => JSON.parse(line) as ClickEvent);
  const sums = new Map<string, number>();
  for (const { os_timezone, device_is_mobile } of clicks) {
    sums.set(os_timezone, (sums.get(os_timezone) ?? 0) + Number(device_is_mobile));
  }
  return sums;
}
