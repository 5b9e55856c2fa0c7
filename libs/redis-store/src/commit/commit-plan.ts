import type { Commit } from "@millrace/dataflow";
import { CommitTooLargeError } from "../errors.ts";
import { encodeNotices, encodeRows } from "../sinks/encode-output.ts";
import type { TaskKeys } from "../task-keys.ts";
import { encodeChanges } from "./encode-changes.ts";
import { bytesOf } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { fillPieces } from "./pieces.ts";

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
 * Divides a commit into pieces: first state, then rows, then what tells of them.
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
  const count = (operation: Operation, bytes: number): void => {
    add(bytes);
    if (bytes > limits.maxValueBytes) requireSmallValues(operation, limits, where);
  };
  add(bytesOf(head));
  const pieces = await fillPieces(operationsOf(keys, commit), count, breathe);
  return { head, pieces };
}

/** In the order in which readers may see them: whoever is told of rows finds them, and no watermark is ahead of its rows. */
function* operationsOf(
  keys: TaskKeys,
  { number, changes, outputs, watermark }: Commit,
): Generator<Operation> {
  yield* encodeChanges(keys, changes);
  for (const output of outputs) yield* encodeRows(keys, output);
  for (const output of outputs) yield* encodeNotices(keys, number, output);
  yield ["WATERMARK", watermark === null ? "" : String(watermark)];
}

function tooLarge(where: string, { maxCommitBytes }: CommitLimits): CommitTooLargeError {
  return new CommitTooLargeError(
    `${where} is larger than ${maxCommitBytes} bytes. Commit more often (commitEveryMs, commitEveryEvents), ` +
      "close windows in smaller pages (pageSize), or raise maxCommitBytes.",
  );
}

function requireSmallValues(operation: Operation, { maxValueBytes }: CommitLimits, where: string): void {
  const bytes = Math.max(...operation.map((arg) => Buffer.byteLength(arg)));
  if (bytes <= maxValueBytes) return;
  throw new CommitTooLargeError(
    `${where} has a value of ${bytes} bytes for ${operation[1]}; the limit is ${maxValueBytes}, since ` +
      "Redis takes a value in one go. Keep less in one key's state or in one row, or raise maxValueBytes.",
  );
}
