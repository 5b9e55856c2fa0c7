import type { LogLine } from "@millrace/local-redis/programs";

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
 * @param logs of all workers
 */
export function judgeFence(logs: readonly (readonly LogLine[])[]): readonly string[] {
  const commits = logs.flatMap(commitsOf);
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

function commitsOf(log: readonly LogLine[]): readonly LoggedCommit[] {
  return log
    .filter(({ event }) => event === "committed")
    .map(({ part, fence, number, outcome }) => ({
      part: String(part),
      fence: Number(fence),
      number: Number(number),
      outcome: String(outcome),
    }));
}
