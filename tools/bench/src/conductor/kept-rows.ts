import type { Redis } from "ioredis";

/** The rows that the aggregator keeps in Redis, of all windows and partitions. */
export async function keptRows(client: Redis): Promise<readonly string[]> {
  const rows: string[] = [];
  for await (const names of client.scanStream({ match: "millrace:*:results:out:*", type: "hash" })) {
    for (const name of names as readonly string[]) rows.push(...(await client.hvals(name)));
  }
  return rows;
}
