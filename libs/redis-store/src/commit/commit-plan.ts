import type { Commit } from "@millrace/dataflow";
import { CommitTooLargeError } from "../errors.ts";
import { encodeOutput } from "../sinks/encode-output.ts";
import type { TaskKeys } from "../task-keys.ts";
import { bytesOf } from "./command.ts";
import type { Command } from "./command.ts";
import { encodeChanges } from "./encode-changes.ts";

/** What one call of a script carries: it keeps Redis busy for two or three milliseconds. */
const PIECE_ARGS = 2_000;
const PIECE_BYTES = 256 * 1_024;

/** What a commit may hold. */
export interface CommitLimits {
  readonly maxCommitBytes: number;
  readonly maxValueBytes: number;
}

/** A commit as Redis is told it. */
export interface CommitPlan {
  /** Signature, position, sinks, partial. */
  readonly head: readonly string[];
  /** Commands, each preceded by its length: one piece is applied with the commit, several are staged before it. */
  readonly pieces: readonly (readonly string[])[];
}

/**
 * @throws CommitTooLargeError
 * @throws RedisOptionsError for rows of a sink that is not this store's
 */
export function planCommit(keys: TaskKeys, commit: Commit, limits: CommitLimits): CommitPlan {
  const { number, signature, position, sinks, partial } = commit;
  const head = [signature, JSON.stringify(position), JSON.stringify(sinks), partial ? "1" : "0"];
  const pieces: string[][] = [];
  let piece: string[] = [];
  let pieceBytes = 0;
  let bytes = bytesOf(head);
  const where = `Commit ${number} of ${keys.base}`;
  for (const command of commandsOf(keys, commit)) {
    const size = bytesOf(command);
    // Only a command of a single field or row cannot be made smaller.
    if (size > limits.maxValueBytes) requireSmallValues(command, limits.maxValueBytes, where);
    if (piece.length > 0 && (pieceBytes + size > PIECE_BYTES || piece.length + command.length > PIECE_ARGS)) {
      pieces.push(piece);
      piece = [];
      pieceBytes = 0;
    }
    piece.push(String(command.length), ...command);
    pieceBytes += size;
    bytes += size;
    if (bytes > limits.maxCommitBytes) {
      throw new CommitTooLargeError(
        `${where} is larger than ${limits.maxCommitBytes} bytes. Commit more often (commitEveryMs, ` +
          "commitEveryEvents), close windows in smaller pages (pageSize), or raise maxCommitBytes.",
      );
    }
  }
  pieces.push(piece);
  return { head, pieces };
}

function* commandsOf(keys: TaskKeys, commit: Commit): Generator<Command> {
  yield* encodeChanges(keys, commit.changes);
  for (const output of commit.outputs) yield* encodeOutput(keys, commit.number, output);
}

function requireSmallValues(command: Command, maxValueBytes: number, where: string): void {
  for (const arg of command) {
    const bytes = Buffer.byteLength(arg);
    if (bytes <= maxValueBytes) continue;
    throw new CommitTooLargeError(
      `${where} has a value of ${bytes} bytes for ${command[1] ?? command[0]}; the limit is ${maxValueBytes}, ` +
        "since Redis takes a value in one go. Keep less in one key's state or in one row, or raise maxValueBytes.",
    );
  }
}
