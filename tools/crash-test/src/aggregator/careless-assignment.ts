import type { AssignedTasks, Assignment } from "@millrace/dataflow";
import type { Guard } from "../guard.ts";

/** How long a worker continues a task that is not its own any more, ms. */
export const HELD_MS = 1_000;

/** Called when a worker gets a part, and when it has it no more. */
export type ShareListener = (event: "part-gained" | "part-gone", part: string) => void;

/** An assignment whose worker notices late that it has lost a task, with a guard switched off if asked. */
export function carelessly(
  inner: Assignment,
  without: Guard | undefined,
  listener: ShareListener,
): Assignment {
  const late = noticingLate(heard(inner, listener));
  return without === "drain" ? withoutDrain(late) : late;
}

function heard(inner: Assignment, listener: ShareListener): Assignment {
  return withTasks(inner, (tasks) => ({
    ...tasks,
    assigned: (part) => {
      listener("part-gained", part);
      tasks.assigned(part);
    },
    revoked: (part) => {
      listener("part-gone", part);
      return tasks.revoked(part);
    },
    lost: (part) => {
      listener("part-gone", part);
      tasks.lost(part);
    },
  }));
}

/** An assignment that gives a task to another worker before this one has finished it. */
function withoutDrain(inner: Assignment): Assignment {
  return withTasks(inner, (tasks) => ({
    ...tasks,
    revoked: (part) => {
      setTimeout(() => void tasks.revoked(part), HELD_MS);
      return Promise.resolve();
    },
  }));
}

/** An assignment of a worker that notices late that it has lost a task: only the fence keeps it from harm. */
function noticingLate(inner: Assignment): Assignment {
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
