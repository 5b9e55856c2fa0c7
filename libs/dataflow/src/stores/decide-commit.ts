import type { CommitOutcome } from "../contracts/store.ts";

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
