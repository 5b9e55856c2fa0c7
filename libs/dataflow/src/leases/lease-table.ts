import type { AssignmentContext } from "../contracts/assignment.ts";

/** A heartbeat of one worker. */
export interface WorkerHeartbeat {
  /** Unique among all workers that ever use the table. */
  readonly worker: string;
  readonly leaseMs: number;
  /** The worker releases its parts one after the other, and gets no more. */
  readonly leaving: boolean;
}

/** The answer to a heartbeat. */
export interface WorkerShare {
  /** The parts of this worker, with those that it was just given. */
  readonly owned: readonly string[];
  /** Most parts that it is to have now. */
  readonly atMost: number;
  /** A group that just formed gives out no parts for this long (ms), so that workers that start together share at once. */
  readonly formingMs: number;
}

/**
 * The one place that decides which worker has which part. Each call is one atomic step, and leases end by the table's own
 * clock, so workers need not agree on the time. Calls are repeated until an outage is over; an error that they throw ends the
 * worker.
 *
 * Rules: a worker is live from a heartbeat until its lease is over. A part whose owner is not live is free. Free parts go to a
 * worker whose heartbeat finds it below its share: ⌊parts / workers⌋, or one more for as many workers as needed, those
 * with the most parts first. So no part moves that need not.
 */
export interface LeaseTable {
  /** Renews the lease, or makes the worker a member, and gives it free parts up to its share. */
  beat(heartbeat: WorkerHeartbeat): Promise<WorkerShare>;
  /** Frees a part, if it is this worker's. */
  release(worker: string, part: string): Promise<void>;
  /** Frees all parts of the worker, which is no member any more. */
  leave(worker: string): Promise<void>;
  /** Closes the connection; pending calls reject. Idempotent. */
  close(): Promise<void>;
}

/** For whom a table is opened. */
export interface LeaseTableContext extends Omit<AssignmentContext, "signal"> {
  /** All partitions of the input. */
  readonly parts: readonly string[];
}
