import type { StartedProgram } from "@millrace/local-redis/programs";

/** A commit as a worker logged it. */
interface LoggedCommit {
  readonly part: string;
  readonly fence: number;
  readonly number: number;
  readonly outcome: string;
}

/**
 * Describes commits that the fence did not refuse. A worker that stalled continues the tasks that it had open until it notices
 * that they are gone. If a later owner had already made a commit with this number or a lower one, the fence has to refuse it.
 * Without the fence the commit's number refuses most of them, so the results alone do not show it every time.
 *
 * A commit that was on its way when its worker stalled may be applied: the next owner's number is higher.
 *
 * @param workers all of them, ended or about to end
 */
export async function judgeFence(workers: readonly StartedProgram[]): Promise<readonly string[]> {
  const commits = (await Promise.all(workers.map(commitsOf))).flat();
  const applied = commits.filter(({ outcome }) => outcome === "applied");
  const overtaken = commits.filter(({ part, fence, number }) =>
    applied.some((other) => other.part === part && other.fence > fence && other.number <= number),
  );
  const wrong = overtaken.filter(({ outcome }) => outcome !== "fenced");
  if (wrong.length === 0) return [];
  return [
    `the fence did not refuse ${wrong.length} of ${overtaken.length} commits that another worker had overtaken`,
  ];
}

async function commitsOf(worker: StartedProgram): Promise<readonly LoggedCommit[]> {
  const { log } = await worker.ended;
  return log
    .filter(({ event }) => event === "committed")
    .map(({ part, fence, number, outcome }) => ({
      part: String(part),
      fence: Number(fence),
      number: Number(number),
      outcome: String(outcome),
    }));
}
