import type { Redis } from "ioredis";
import { TaskKeys } from "@millrace/redis-store";
import { readResults } from "../conductor/read-results.ts";
import type { Results } from "../conductor/read-results.ts";
import { FLOW } from "../names.ts";

/** The results of all partitions together: a window's key is in one of them. */
export async function readShares(client: Redis, parts: readonly string[]): Promise<Results> {
  const results = await Promise.all(
    parts.map((part) => readResults(client, new TaskKeys({ flow: FLOW, part }), "-")),
  );
  return {
    history: results.flatMap(({ history }) => history),
    latest: results.flatMap(({ latest }) => latest),
    late: results.reduce((sum, { late }) => sum + late, 0),
  };
}
