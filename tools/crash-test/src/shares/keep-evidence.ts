import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { partitionNames } from "@millrace/redis-source";
import type { StartedProgram } from "@millrace/local-redis/programs";
import type { Results } from "../conductor/read-results.ts";
import { CHANNEL } from "../names.ts";

/** What is left of a round. */
export interface Evidence {
  readonly client: Redis;
  readonly partitions: number;
  readonly results: Results;
  /** All of them have ended. */
  readonly workers: readonly StartedProgram[];
}

/** Writes the entries of the streams, the results and the logs of the workers to files: what was counted twice can be found there. */
export async function keepEvidence(
  folder: string,
  { client, partitions, results, workers }: Evidence,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "results.json"), JSON.stringify(results));
  for (const [index, stream] of partitionNames(CHANNEL, partitions).entries()) {
    const entries = await client.xrange(stream, "-", "+");
    await writeFile(join(folder, `stream-${index}.jsonl`), linesOf(entries));
  }
  for (const [index, worker] of workers.entries()) {
    const { log } = await worker.ended;
    await writeFile(join(folder, `worker-${index}.jsonl`), linesOf(log));
  }
}

function linesOf(all: readonly unknown[]): string {
  return all.map((each) => `${JSON.stringify(each)}\n`).join("");
}
