import { hostname } from "node:os";
import { SILENT_LOGGER } from "@millrace/dataflow";
import type { OtherWorker } from "@millrace/observe";
import type { RunConfig } from "../options/run-options.ts";

/** How long (ms) Redis may take to answer: it is asked again. */
const ANSWER_MS = 2_000;

/**
 * Asks Redis for the workers of a flow that do not run here.
 *
 * @param own the processes that run here, also those that will be started
 */
export function othersOf(
  { redis, group }: Pick<RunConfig, "redis" | "group">,
  own: ReadonlySet<number>,
): (flow: string) => Promise<readonly OtherWorker[]> {
  return async (flow) => {
    const { inspectWorkers } = await import("@millrace/redis-store");
    const signal = AbortSignal.timeout(ANSWER_MS);
    const workers = await inspectWorkers(redis, group ?? flow, { signal, logger: SILENT_LOGGER });
    return workers
      .filter(({ host, pid }) => host !== hostname() || pid === undefined || !own.has(pid))
      .map(({ worker, host = null, leaseAgeMs = null, leaving, parts }) => ({
        worker,
        host,
        leaseAgeMs,
        leaving,
        parts: [...parts],
      }));
  };
}
