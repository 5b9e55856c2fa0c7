import type { Logger } from "./logger.ts";
import type { TimeProvider } from "./time-provider.ts";

/**
 * Hands out the tasks of a flow to workers. It is advice only: which worker's commits are applied is decided by the fence of
 * the store. So an assignment that is wrong for a while costs work that is done twice, and never a result.
 */
export interface Assignment {
  /**
   * Whether tasks come and go while the worker runs. Then the run ends only when it is stopped or fails, a worker without
   * tasks waits for some, and a task that another worker has taken over is dropped. Otherwise the worker ends with its last
   * task, and fails when one is taken over.
   */
  readonly shared: boolean;
  /**
   * Makes this worker a member. `tasks` may be called before it resolves.
   *
   * @param parts all partitions of the input
   * @throws an error that ends the run, such as for a group whose members have other partitions
   */
  join(parts: readonly string[], tasks: AssignedTasks, context: AssignmentContext): Promise<Membership>;
}

/** The context in which a worker joins. */
export interface AssignmentContext {
  /** Id of the flow. */
  readonly flow: string;
  readonly logger: Logger;
  readonly time: TimeProvider;
  /** Aborted when the worker gives up its tasks without finishing them: the membership ends at once. */
  readonly signal: AbortSignal;
}

/** What an assignment asks of the worker. Calls for one partition alternate: `assigned`, then `revoked` or `lost`. */
export interface AssignedTasks {
  /** The worker has the task now, and opens it. */
  assigned(part: string): void;
  /**
   * Another worker is to have the task.
   *
   * @returns when it is finished, committed and closed: the assignment must not give it to another worker before that. It
   *   never rejects: a task that fails ends the worker.
   */
  revoked(part: string): Promise<void>;
  /** Another worker may have the task already: it is aborted and commits nothing more. */
  lost(part: string): void;
  /** The membership cannot continue: the worker finishes what it has, and fails with this error. */
  failed(error: Error): void;
}

/** A worker's membership. */
export interface Membership {
  /**
   * Asks again whose the task is, since the store says that another worker has taken it over.
   *
   * @returns whether an answer that was asked for after this call still names this worker. `false`: the task is dropped, and
   *   opened again when it is next `assigned`.
   */
  confirm(part: string): Promise<boolean>;
  /** Revokes all tasks, then leaves, so that the others need not wait for a lease to end. Idempotent. */
  leave(): Promise<void>;
}
