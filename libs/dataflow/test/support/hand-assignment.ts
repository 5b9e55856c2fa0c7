import type { AssignedTasks, Assignment, Membership } from "@millrace/dataflow";

/** A shared assignment that a test controls: it calls `tasks`, and answers confirmations. */
export class HandAssignment implements Assignment {
  readonly shared = true;
  /** What `confirm` answers, by partition; a partition without an answer is confirmed. */
  readonly answers = new Map<string, boolean>();
  readonly confirmed: string[] = [];
  left = 0;
  #tasks: AssignedTasks | undefined;
  #parts: readonly string[] = [];

  get tasks(): AssignedTasks {
    if (this.#tasks === undefined) throw new Error("no worker has joined");
    return this.#tasks;
  }

  join(parts: readonly string[], tasks: AssignedTasks): Promise<Membership> {
    this.#tasks = tasks;
    this.#parts = parts;
    return Promise.resolve({
      confirm: (part) => {
        this.confirmed.push(part);
        return Promise.resolve(this.answers.get(part) ?? true);
      },
      leave: async () => {
        await Promise.all(this.#parts.map((part) => tasks.revoked(part)));
        this.left += 1;
      },
    });
  }
}
