import type { AssignedTasks, Assignment } from "@millrace/dataflow";

/** How long a worker continues a task that is not its own any more, ms. */
export const HELD_MS = 1_000;

/** An assignment that gives a task to another worker before this one has finished it. */
export function withoutDrain(inner: Assignment): Assignment {
  return withTasks(inner, (tasks) => ({
    ...tasks,
    revoked: (part) => {
      setTimeout(() => void tasks.revoked(part), HELD_MS);
      return Promise.resolve();
    },
  }));
}

/** An assignment of a worker that notices late that it has lost a task: only the fence keeps it from harm. */
export function noticingLate(inner: Assignment): Assignment {
  return withTasks(inner, (tasks) => {
    const losing = new Map<string, NodeJS.Timeout>();
    const lose = (part: string): void => {
      clearTimeout(losing.get(part));
      if (losing.delete(part)) tasks.lost(part);
    };
    return {
      ...tasks,
      assigned: (part) => {
        lose(part);
        tasks.assigned(part);
      },
      lost: (part) => {
        losing.set(
          part,
          setTimeout(() => {
            lose(part);
          }, HELD_MS),
        );
      },
    };
  });
}

/** The same assignment, which asks other things of the worker. */
function withTasks(inner: Assignment, other: (tasks: AssignedTasks) => AssignedTasks): Assignment {
  return {
    shared: inner.shared,
    join: (parts, tasks, context) =>
      inner.join(
        parts,
        other({
          assigned: (part) => {
            tasks.assigned(part);
          },
          revoked: (part) => tasks.revoked(part),
          lost: (part) => {
            tasks.lost(part);
          },
          failed: (error) => {
            tasks.failed(error);
          },
        }),
        context,
      ),
  };
}
