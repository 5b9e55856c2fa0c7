import type { StartedProgram } from "@millrace/local-redis/programs";
import { HELD_MS } from "../aggregator/careless-assignment.ts";

/** A worker that was stopped, and when it resumed, ms. */
export interface Stall {
  readonly worker: StartedProgram;
  readonly until: number;
}

/** A commit as a worker logged it. */
interface LoggedCommit {
  readonly at: number;
  readonly part: string;
  readonly fence: number;
  readonly number: number;
  readonly outcome: string;
}

/**
 * Describes commits that the fence did not refuse. A worker that stalled continues the tasks that it had open until it notices
 * that they are gone. If another worker had committed in between, each of these commits has to be refused. Without the fence
 * the commit's number refuses most of them, so the results alone do not show it every time.
 *
 * A commit that was on its way when the worker stalled may be answered afterwards: it has a lower number.
 */
export async function judgeFence(
  stalls: readonly Stall[],
  workers: readonly StartedProgram[],
): Promise<readonly string[]> {
  const all = (await Promise.all(workers.map(commitsOf))).flat();
  const problems: string[] = [];
  for (const { worker, until } of stalls) {
    const isTaken = ({ part, fence, number }: LoggedCommit): boolean =>
      all.some((other) => {
        const { outcome } = other;
        const later = other.part === part && other.fence > fence && other.at <= until;
        return later && outcome === "applied" && other.number <= number;
      });
    const own = (await commitsOf(worker)).filter(({ at }) => at >= until && at <= until + HELD_MS);
    const judged = own.filter(isTaken);
    const wrong = judged.filter(({ outcome }) => outcome !== "fenced");
    if (wrong.length === 0) continue;
    problems.push(
      `the fence did not refuse ${wrong.length} of ${judged.length} commits of a worker that had stalled`,
    );
  }
  return problems;
}

async function commitsOf(worker: StartedProgram): Promise<readonly LoggedCommit[]> {
  const { log } = await worker.ended;
  return log
    .filter(({ event }) => event === "committed")
    .map(({ time, part, fence, number, outcome }) => ({
      at: Date.parse(String(time)),
      part: String(part),
      fence: Number(fence),
      number: Number(number),
      outcome: String(outcome),
    }));
}
