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

/** One atomic step: position, state and outputs become durable together, or nothing does. */
export interface Commit {
  /** 1 for the first commit of a task, then one more each time. */
  readonly number: number;
  /** What the task's flow looks like; a state written under another signature is refused on load. */
  readonly signature: string;
  /** Source position; unchanged on every page but the first of a paged close. */
  readonly position: Json;
  /** Resume states of the sinks, by step id. */
  readonly sinks: Readonly<Record<string, Json>>;
  /** Changes of operator state; groups carry the step id as prefix. */
  readonly changes: readonly StateChange[];
  readonly outputs: readonly StoreOutput[];
  /** More pages of the same close follow. */
  readonly partial: boolean;
  /**
   * Lowest `Operator.watermark` of the flow's window steps, ms: with this commit every first result of a window
   * that closes by then is visible. `null`: no step has windows, or none has come so far.
   */
  readonly watermark: number | null;
  /**
   * What the run has counted up to this commit, a few hundred bytes: kept as it is, so that a task that is loaded again
   * knows which of its figures still stand.
   */
  readonly counts: Json;
}

/** How a commit ended. */
export type CommitOutcome =
  | { readonly kind: "applied" }
  /** The same number was applied before under the same fence: a lost reply was resent. Success. */
  | { readonly kind: "already-applied" }
  /** A newer owner has the task: this one stops for good. */
  | { readonly kind: "fenced"; readonly owner: number }
  /** The store knows less than this task committed (it was restored from an older copy): the task reloads. */
  | { readonly kind: "rolled-back"; readonly stored: number };

/** What a task left behind. */
export interface TaskState {
  readonly commitNumber: number;
  readonly signature: string;
  readonly position: Json;
  readonly sinks: Readonly<Record<string, Json>>;
  readonly groups: Iterable<
    readonly [group: string, fields: Iterable<readonly [field: string, value: Json]>]
  >;
  /** The last commit was a page of a close that had more. */
  readonly partial: boolean;
  /** {@link Commit.counts} of the last commit; `null` where it had none, as those of earlier versions. */
  readonly counts: Json;
}

/** What can be known of a task without taking it over. Of its groups it has those that were asked for. */
export type TaskHead = Omit<TaskState, "partial">;

/** Keeps the state of tasks. */
export interface Store {
  /** A store that wraps another one names it: rows of that one's sinks leave with its commits. @default itself */
  readonly wraps?: Store;
  /**
   * Looks at a task without taking it over: another worker goes on undisturbed, and may commit while it is looked at.
   * `undefined`: it has never committed.
   *
   * @param groups names of those that are given back, as far as they are there. @default none
   * @throws StateTooLargeError for state that this process has no room for
   */
  look(task: TaskId, groups?: readonly string[]): Promise<TaskHead | undefined>;
  /** Takes the task over: the new fence is higher than any before, so older owners can no longer commit. */
  acquire(task: TaskId): Promise<TaskStore>;
  /** Releases what the store itself holds open. */
  close(): Promise<void>;
}

/** One owner's view of one task. */
export interface TaskStore {
  /** Grows with each owner. */
  readonly fence: number;
  /** `undefined`: the task has never committed. */
  load(): Promise<TaskState | undefined>;
  /** Applies one commit, whole or not at all. The same commit may be sent again after a lost reply. */
  commit(commit: Commit): Promise<CommitOutcome>;
  /**
   * Fence of the task's newest owner, so that one who has nothing to commit notices that it was replaced. The task asks
   * every few seconds, so it must be cheap. Absent: it notices at its next commit.
   */
  newestOwner?(): Promise<number>;
  /** Gives the task up; its state stays. */
  close(): Promise<void>;
}
