import type { AssignedTasks, Assignment, Membership } from "../contracts/assignment.ts";

/** The tasks that a worker was started with: all of them, until it ends. */
export const FIXED_ASSIGNMENT: Assignment = {
  shared: false,
  join(parts: readonly string[], tasks: AssignedTasks): Promise<Membership> {
    for (const part of parts) tasks.assigned(part);
    return Promise.resolve({
      confirm: () => Promise.resolve(false),
      leave: async () => {
        await Promise.all(parts.map((part) => tasks.revoked(part)));
      },
    });
  },
};
