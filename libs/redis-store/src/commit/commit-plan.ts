import type { Commit } from "@millrace/dataflow";
import { CommitTooLargeError } from "../errors.ts";
import { encodeNotices, encodeRows } from "../sinks/encode-output.ts";
import type { TaskKeys } from "../task-keys.ts";
import { bytesOf } from "./command.ts";
import type { Command } from "./command.ts";
import { encodeChanges } from "./encode-changes.ts";
import { fillPieces, fits } from "./pieces.ts";

/** What a commit may hold. */
export interface CommitLimits {
  readonly maxCommitBytes: number;
  readonly maxValueBytes: number;
}

/** A commit as Redis is told it. */
export interface CommitPlan {
  /** Signature, position, sinks, partial. */
  readonly head: readonly string[];
  /** Arguments of one call each: a single piece is applied with the commit, several are staged before it. */
  readonly pieces: readonly (readonly string[])[];
}

/**
 * Divides a commit into pieces.
 *
 * Notices are the first commands of a script, or have pieces behind all others: Redis does not undo a script that
 * fails halfway, and publishing is what a user may lack the permission for. No subscriber can read before the rows
 * are there, since nothing runs beside a script.
 *
 * @param breathe lets the event loop turn: a large commit takes its time
 * @throws CommitTooLargeError
 * @throws RedisOptionsError for rows of a sink that is not this store's
 */
export async function planCommit(
  keys: TaskKeys,
  commit: Commit,
  limits: CommitLimits,
  breathe: () => Promise<void>,
): Promise<CommitPlan> {
  const { number, signature, position, sinks, partial } = commit;
  const head = [signature, JSON.stringify(position), JSON.stringify(sinks), partial ? "1" : "0"];
  const where = `Commit ${number} of ${keys.base}`;
  let total = 0;
  const add = (bytes: number): void => {
    total += bytes;
    if (total > limits.maxCommitBytes) throw tooLarge(where, limits);
  };
  const count = (command: Command, bytes: number): void => {
    add(bytes);
    if (bytes > limits.maxValueBytes) requireSmallValues(command, limits, where);
  };
  add(bytesOf(head));
  const pieces = await fillPieces(writesOf(keys, commit), count, breathe);
  const notices = await fillPieces(noticesOf(keys, commit), count, breathe);
  const [write = { args: [], bytes: 0 }, ...writes] = pieces;
  const [notice = { args: [], bytes: 0 }, ...others] = notices;
  if (writes.length + others.length === 0 && fits(notice, write.args.length, write.bytes)) {
    return { head, pieces: [[...notice.args, ...write.args]] };
  }
  return { head, pieces: [...pieces, ...notices].map(({ args }) => args) };
}

function* writesOf(keys: TaskKeys, { changes, outputs }: Commit): Generator<Command> {
  yield* encodeChanges(keys, changes);
  for (const output of outputs) yield* encodeRows(keys, output);
}

function* noticesOf(keys: TaskKeys, { number, outputs }: Commit): Generator<Command> {
  for (const output of outputs) yield* encodeNotices(keys, number, output);
}

function tooLarge(where: string, { maxCommitBytes }: CommitLimits): CommitTooLargeError {
  return new CommitTooLargeError(
    `${where} is larger than ${maxCommitBytes} bytes. Commit more often (commitEveryMs, commitEveryEvents), ` +
      "close windows in smaller pages (pageSize), or raise maxCommitBytes.",
  );
}

function requireSmallValues(command: Command, { maxValueBytes }: CommitLimits, where: string): void {
  const bytes = Math.max(...command.map((arg) => Buffer.byteLength(arg)));
  if (bytes <= maxValueBytes) return;
  throw new CommitTooLargeError(
    `${where} has a value of ${bytes} bytes for ${command[1] ?? command[0]}; the limit is ${maxValueBytes}, since ` +
      "Redis takes a value in one go. Keep less in one key's state or in one row, or raise maxValueBytes.",
  );
}
