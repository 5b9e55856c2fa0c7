import type { LogLine } from "@millrace/local-redis/programs";

/** What is wrong, and how many workers could not be judged. */
export interface DrainVerdict {
  readonly problems: readonly string[];
  /** Workers whose lease lapsed, though nothing was done to them. */
  readonly lapsed: number;
}

/**
 * While workers only join and leave no task is taken from one, since each is finished before another worker opens it. A worker
 * whose lease lapsed, since a busy machine did not let it run, rightly loses its tasks: it is not judged.
 *
 * @param logs of all workers
 * @param span when nothing else was done to workers and servers, as the logs give times
 */
export function judgeDrain(
  logs: readonly (readonly LogLine[])[],
  { from, to }: { readonly from: string; readonly to: string },
): DrainVerdict {
  const until = logs.map((log) => log.filter(({ time }) => String(time) <= to));
  const steady = until.filter((log) => !log.some(isLapse));
  const taken = steady.flat().filter((line) => isTaken(line) && String(line["time"]) >= from);
  const problem = `${taken.length} tasks were taken from a worker before it had finished them`;
  return { problems: taken.length === 0 ? [] : [problem], lapsed: logs.length - steady.length };
}

function isLapse({ event }: LogLine): boolean {
  return event === "lease-over" || event === "session-over";
}

function isTaken({ event }: LogLine): boolean {
  return event === "task-dropped" || event === "task-lost";
}
