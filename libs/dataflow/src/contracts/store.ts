import type { Json, StateChange } from "@millrace/windowing";

/** A task's identity across runs. */
export interface TaskId {
  readonly flow: string;
  readonly part: string;
}

/**
 * Rows that a store makes visible in the same atomic step as the state, such as results in Redis. Only the store that the
 * sink belongs to looks into it.
 */
export interface StoreOutput {
  /** Id of the output step. */
  readonly step: string;
  /** Where they go. */
  readonly target: unknown;
  readonly rows: readonly unknown[];
}

/** One atomic step: position, state and outputs become durable together, or none of them. */
export interface Commit {
  /** 1 for the first commit of a task, then one more for each. */
  readonly number: number;
  /** Version of the format of everything that a commit has; a reader refuses one that is newer than its own. */
  readonly format: number;
  /** Describes the flow's version and stateful steps; a flow continues only from state that suits its own. */
  readonly signature: string;
  /** Source position; unchanged on every page but the first of a paged close. */
  readonly position: Json;
  /** Resume states of the sinks, by step id. */
  readonly sinks: Readonly<Record<string, Json>>;
  /** Changes of operator state; group names start with the step id. */
  readonly changes: readonly StateChange[];
  readonly outputs: readonly StoreOutput[];
  /** More pages of the same close follow. */
  readonly partial: boolean;
  /**
   * Lowest `Operator.watermark` of the flow's window steps, ms: this commit makes every first result of a window that
   * closes by then visible. `null`: no step has windows, or no watermark exists yet.
   */
  readonly watermark: number | null;
  /**
   * The counts of the run up to this commit, a few hundred bytes. Stored as is, so that a task that reloads knows which
   * of its counts are still valid.
   */
  readonly counts: Json;
}

/** How a commit ended. */
export type CommitOutcome =
  | {
      readonly kind: "applied";
      /** Size of what was sent or written, where the store knows it without measuring it anew. */
      readonly bytes?: number;
    }
  /** The same number was applied before under the same fence: a resend after a lost reply. Success. */
  | { readonly kind: "already-applied" }
  /** A newer owner has the task: this one must stop. */
  | { readonly kind: "fenced"; readonly owner: number }
  /** The store has fewer commits than this task made (it was restored from an older copy): the task reloads. */
  | { readonly kind: "rolled-back"; readonly stored: number };

/** The stored state of a task. */
export interface TaskState {
  /** 0: the task was reset to begin at `position`, and has not committed since; it has no signature and no state. */
  readonly commitNumber: number;
  /** {@link Commit.format} of the last commit; 1 where it had none, as in earlier versions. */
  readonly format: number;
  readonly signature: string;
  readonly position: Json;
  readonly sinks: Readonly<Record<string, Json>>;
  readonly groups: Iterable<
    readonly [group: string, fields: Iterable<readonly [field: string, value: Json]>]
  >;
  /** The last commit was a page of a close with more pages. */
  readonly partial: boolean;
  /** {@link Commit.counts} of the last commit; `null` where it had none, as in earlier versions. */
  readonly counts: Json;
}

/** The part of a task's state that can be read without acquiring the task, with the groups that were asked for. */
export interface TaskHead extends Omit<TaskState, "partial"> {
  /** The last commit is not in all groups yet, as may be while a store applies a large one. Absent: it is. */
  readonly unfinished?: true;
}

/** Keeps the state of tasks. */
export interface Store {
  /** A store that wraps another one names it: rows of that store's sinks leave with its commits. @default itself */
  readonly wraps?: Store;
  /**
   * Reads a task's state without acquiring the task: another worker continues undisturbed, and may commit in between.
   * `undefined`: it has never committed, and begins where its source does. The caller may change what it gets.
   *
   * @param wanted whether to return a group, by its name: it may have more of a later commit than the rest. @default none
   * @throws StateTooLargeError for state that does not fit into this process
   */
  look(task: TaskId, wanted?: (group: string) => boolean): Promise<TaskHead | undefined>;
  /** Acquires the task: the new fence is higher than any before, so older owners can no longer commit. */
  acquire(task: TaskId): Promise<TaskStore>;
  /** Releases what the store itself holds open. */
  close(): Promise<void>;
}

/** One owner's view of one task. */
export interface TaskStore {
  /** Grows with each owner. */
  readonly fence: number;
  /** `undefined`: the task has never committed, and begins where its source does. The caller may change what it gets. */
  load(): Promise<TaskState | undefined>;
  /** Applies one commit, whole or not at all. The same commit may be sent again after a lost reply. */
  commit(commit: Commit): Promise<CommitOutcome>;
  /**
   * Fence of the task's newest owner, so that an owner without anything to commit notices that it was replaced. The
   * task calls it every few seconds, so it must be cheap. Absent: the owner notices at its next commit.
   */
  newestOwner?(): Promise<number>;
  /** Releases the task; its state stays. */
  close(): Promise<void>;
}
