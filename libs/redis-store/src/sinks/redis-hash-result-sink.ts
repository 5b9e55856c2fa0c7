import { SinkError } from "@millrace/dataflow";
import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import type { WindowResult } from "@millrace/windowing";
import { RedisOptionsError } from "@millrace/redis-source";
import { checkVersion, outputNamed } from "./output-name.ts";
import { HashOutput } from "./redis-output.ts";
import type { HashRow, NoticeCommand } from "./redis-output.ts";
import { ResultPartition } from "./result-partition.ts";
import type { EncodedRow, ResultStore } from "./result-partition.ts";

/** Options of `RedisStore.results`. */
export interface RedisHashResultSinkOptions<R> {
  /** What is written of a result, as JSON. `@default the result as it is` */
  readonly row?: (result: WindowResult<R>) => unknown;
  /**
   * Last part but one of the hashes' names, `<prefix>:{<partition>}:<flow>:results:<name>:<window>`.
   * `@default the step's id`
   */
  readonly name?: string;
  /**
   * Another version of the same results, kept beside them: the name is then `<name>@<version>`. Letters, digits, `_`, `.` and
   * `-`. `@default none`
   */
  readonly version?: string;
  /**
   * How long (ms) a window's rows stay after the last of them was written. Give at least the window's length plus the
   * allowed lateness, or a window that is corrected late comes back incomplete. `@default for ever`
   */
  readonly ttlMs?: number;
  /** Notifies subscribers of the channel `…:results:<name>` which window has new rows. `@default no notices` */
  readonly notice?: NoticeCommand;
}

/**
 * Keeps each window's rows in a hash, one field for each key, with the row as JSON, in the same step that commits the
 * state they came from. The hash is named by when the window opens (of a session, by its id). The latest revision stays: a lower one never replaces a higher one.
 *
 * It belongs to a store, whose commits carry its rows: a flow that runs with another store is refused.
 *
 * A window whose hash is gone (expired, evicted or deleted) cannot be written completely again when a late event
 * corrects one of its rows: the store keeps no rows. Such a row has the field `"otherRows": "gone"`, in this revision
 * and all later ones; a window without that field has all its rows. So a row must be an object as JSON.
 *
 * A row above the store's `maxValueBytes` is replaced by `{"window", "key", "tooLarge": bytes}`, and the log
 * has a warning.
 */
export class RedisHashResultSink<R> implements Sink<WindowResult<R>> {
  readonly store: ResultStore;
  readonly #options: RedisHashResultSinkOptions<R>;

  /** @throws RedisOptionsError */
  constructor(store: ResultStore, options: RedisHashResultSinkOptions<R>) {
    const { ttlMs } = options;
    if (ttlMs !== undefined && (!Number.isSafeInteger(ttlMs) || ttlMs < 1)) {
      throw new RedisOptionsError(`ttlMs is ${ttlMs}. Give a whole number of at least 1, or leave it out.`);
    }
    checkVersion(options.version);
    this.store = store;
    this.#options = options;
  }

  buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SinkPartition<WindowResult<R>>> {
    const { name, version, ttlMs, notice, row = unchanged } = this.#options;
    const { step } = context;
    const target = { output: outputNamed(name ?? step, version), ttlMs, notice };
    const part = new ResultPartition<WindowResult<R>, HashRow>(
      (rows) => new HashOutput(step, target, rows),
      this.store.maxValueBytes,
      context,
      (result) => encode(result, row(result)),
    );
    return Promise.resolve(part);
  }
}

function unchanged(result: unknown): unknown {
  return result;
}

/** @throws SinkError for an invalid revision */
function encode(result: WindowResult<unknown>, row: unknown): EncodedRow<HashRow> {
  const { key, revision, replaces = [] } = result;
  if (!Number.isSafeInteger(revision) || revision < 0) {
    throw new SinkError(
      `the revision of ${JSON.stringify(result)} is ${revision}; give a whole number from 0`,
    );
  }
  const { id, open } = result.window;
  const place = { window: String(typeof id === "number" ? open : id), key };
  const rest = { revision, correction: isCorrection(result), replaces: replaces.map(String) };
  return { text: JSON.stringify(row), place, rowOf: (text) => ({ ...place, ...rest, row: text }) };
}

/**
 * Whether a result changes a window of several keys that had rows before, and comes without the others: a change by a
 * late event, or an early row after the first. A session's hash has only one row, so it is always complete.
 */
function isCorrection({ window: { id }, cause, revision }: WindowResult<unknown>): boolean {
  return typeof id === "number" && (cause === "late" || (cause === "early" && revision > 0));
}
