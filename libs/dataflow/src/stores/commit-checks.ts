import { getHeapStatistics } from "node:v8";
import { StateTooLargeError } from "../errors.ts";
import type { CommitOutcome } from "../contracts/store.ts";

/** Minimum heap of a small field of state while it is loaded, bytes. */
const BYTES_PER_FIELD = 500;
/** The part of the heap for these fields. */
const SHARE = 0.75;

/**
 * Refuses state that does not fit into this process, for every store: loading state that was written by a process with
 * a larger heap would end this one without a message.
 *
 * @param place where the state is, for the message
 * @param fields of all its groups
 * @param heapBytes @default the limit of this process
 * @throws StateTooLargeError
 */
export function requireRoom(
  place: string,
  fields: number,
  heapBytes: number = getHeapStatistics().heap_size_limit,
): void {
  if (fields * BYTES_PER_FIELD <= heapBytes * SHARE) return;
  throw new StateTooLargeError(
    `${place}: the stored state has ${fields} fields, and the heap limit of this process is ${Math.floor(heapBytes / 2 ** 20)} MiB. Give ` +
      "it as much heap as before (--max-old-space-size), or reset the state.",
  );
}

/** What a store knows of a task when a commit arrives. */
export interface CommitGuard {
  /** The newest owner. */
  readonly fence: number;
  /** The last commit applied; 0: none. */
  readonly commitNumber: number;
  /** The owner that made it. */
  readonly appliedBy: number;
}

/**
 * Whether a commit may be applied: only by the newest owner, and only with the number after the last one. The last
 * number again, from the same owner, is a resend after a lost reply.
 */
export function decideCommit(number: number, fence: number, kept: CommitGuard): CommitOutcome {
  if (fence < kept.fence) return { kind: "fenced", owner: kept.fence };
  if (number === kept.commitNumber + 1) return { kind: "applied" };
  if (number === kept.commitNumber && fence === kept.appliedBy) return { kind: "already-applied" };
  return { kind: "rolled-back", stored: kept.commitNumber };
}
