import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StartedProgram } from "@millrace/local-redis/programs";
import type { TestBed } from "../conductor/test-bed.ts";
import { readShares } from "./read-shares.ts";
import type { Sharing } from "./sharing.ts";

/** What is left of a round. */
export interface Evidence {
  readonly bed: TestBed;
  readonly sharing: Sharing;
  /** All of them, ended or about to end. */
  readonly workers: readonly StartedProgram[];
  /** What was seen from outside. */
  readonly round: object;
}

/** Writes the logs of the workers, the results and the entries of the streams to files: what was counted twice can be found there. */
export async function keepEvidence(
  folder: string,
  { bed, sharing, workers, round }: Evidence,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "round.json"), JSON.stringify(round));
  for (const [index, worker] of workers.entries()) {
    const { log } = await worker.ended;
    await writeFile(join(folder, `worker-${index}.jsonl`), linesOf(log));
  }
  const client = bed.client();
  try {
    await writeFile(join(folder, "results.json"), JSON.stringify(await readShares(client, sharing.parts)));
    for (const [index, stream] of sharing.streams.entries()) {
      const entries = await client.xrange(stream, "-", "+");
      await writeFile(join(folder, `stream-${index}.jsonl`), linesOf(entries));
    }
  } finally {
    client.disconnect();
  }
}

function linesOf(all: readonly unknown[]): string {
  return all.map((each) => `${JSON.stringify(each)}\n`).join("");
}
