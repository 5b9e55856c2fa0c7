import type { Commit } from "@millrace/dataflow";
import { CommitTooLargeError } from "../errors.ts";
import { redisOutput } from "../sinks/redis-output.ts";
import { encodeText } from "../task-keys.ts";
import type { TaskKeys } from "../task-keys.ts";
import { bytesOf, inRuns } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { fillPieces } from "./pieces.ts";

/** Limits of a commit. */
export interface CommitLimits {
  /** A larger commit is refused. */
  readonly maxCommitBytes: number;
  /** A larger commit takes more than one script call. */
  readonly maxCallBytes: number;
  /** A larger value is written, and named by {@link CommitPlan.largest}. */
  readonly maxValueBytes: number;
}

/** A value of a commit. */
export interface CommitValue {
  readonly bytes: number;
  /** Its key, for messages. */
  readonly place: string;
}

/** A commit in the form that is sent to Redis. */
export interface CommitPlan {
  /** Signature, position, sinks, partial, counts, format. */
  readonly head: readonly string[];
  /** Each is the arguments of one call: a single piece is applied with the commit, several are staged before it. */
  readonly pieces: readonly (readonly string[])[];
  /** The approximate size of all of it. */
  readonly bytes: number;
  /** The largest value, if one is above `maxValueBytes`. */
  readonly largest: CommitValue | undefined;
}

/**
 * Divides a commit into pieces: first state, then rows, then notices and the watermark.
 *
 * @param yieldToEventLoop called during a large commit, which takes long
 * @throws CommitTooLargeError
 * @throws RedisOptionsError for rows of a sink of another store
 */
export async function planCommit(
  keys: TaskKeys,
  commit: Commit,
  limits: CommitLimits,
  yieldToEventLoop: () => Promise<void>,
): Promise<CommitPlan> {
  const { number, format, signature, position, sinks, partial, counts } = commit;
  const head = [
    signature,
    JSON.stringify(position),
    JSON.stringify(sinks),
    partial ? "1" : "0",
    JSON.stringify(counts),
    String(format),
  ];
  const where = `Commit ${number} of ${keys.base}`;
  let total = 0;
  let largest: CommitValue | undefined;
  const add = (bytes: number): void => {
    total += bytes;
    if (total > limits.maxCommitBytes) throw tooLarge(where, limits, largest);
  };
  const count = (operation: Operation, bytes: number): void => {
    if (bytes > limits.maxValueBytes) {
      const value = largestOf(operation);
      if (value.bytes > Math.max(limits.maxValueBytes, largest?.bytes ?? 0)) largest = value;
    }
    add(bytes);
  };
  add(bytesOf(head));
  const pieces = await fillPieces(operationsOf(keys, commit), limits.maxCallBytes, count, yieldToEventLoop);
  return { head, pieces, bytes: total, largest };
}

/** In the order in which readers may see them: a notice comes after its rows, and the watermark is never ahead of rows. */
function* operationsOf(
  keys: TaskKeys,
  { number, changes, outputs, watermark }: Commit,
): Generator<Operation> {
  yield* encodeChanges(keys, changes);
  const ofSinks = outputs.map(redisOutput);
  for (const output of ofSinks) yield* output.visible(keys);
  for (const output of ofSinks) yield* output.notices(keys, number);
  yield ["WATERMARK", watermark === null ? "" : String(watermark)];
}

type StateField = NonNullable<Commit["changes"][number]["put"]>[number];

/** The operations that change state: for each group first the drop, then the puts, then the deletes. */
function* encodeChanges(keys: TaskKeys, changes: Commit["changes"]): Generator<Operation> {
  for (const { group, drop, put = [], delete: gone = [] } of changes) {
    const hash = keys.group(group);
    const name = encodeText(group);
    if (drop === true) yield ["DROP", hash, name];
    for (const run of inRuns(fieldsOf(put))) yield ["PUT", hash, name, ...run];
    for (const run of inRuns(namesOf(gone))) yield ["DELETE", hash, name, ...run];
  }
}

// One at a time, since a group may have so many that encoding them all at once would block the event loop.
function* fieldsOf(put: readonly StateField[]): Generator<readonly string[]> {
  for (const [field, value] of put) yield [encodeText(field), JSON.stringify(value)];
}

function* namesOf(fields: readonly string[]): Generator<readonly string[]> {
  for (const field of fields) yield [encodeText(field)];
}

function tooLarge(
  where: string,
  { maxCommitBytes }: CommitLimits,
  largest: CommitValue | undefined,
): CommitTooLargeError {
  const limit = `${where} is larger than ${maxCommitBytes} bytes`;
  return new CommitTooLargeError(
    largest === undefined
      ? `${limit}. Commit more often (commitEveryMs, commitEveryEvents), close windows in smaller pages (pageSize), ` +
          "or raise maxCommitBytes."
      : `${limit}: it has a value of ${largest.bytes} bytes for ${largest.place}. Keep less in one key's state ` +
          "(a bounded fold, shorter windows, a finer key), or raise maxCommitBytes.",
  );
}

/** The longest part of a key that a message names. */
const SHOWN_CHARS = 200;

function largestOf([, key, ...args]: Operation): CommitValue {
  let [bytes, at] = [0, 0];
  for (const [i, arg] of args.entries()) {
    const size = Buffer.byteLength(arg);
    if (size > bytes) [bytes, at] = [size, i];
  }
  // The value comes after its field.
  const field = args[at - 1];
  const place =
    field === undefined || args.length < 3 ? key : `key "${field.slice(0, SHOWN_CHARS)}" of ${key}`;
  return { bytes, place };
}
