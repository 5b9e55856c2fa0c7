import { SinkError } from "@millrace/dataflow";
import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import type { WindowResult } from "@millrace/windowing";
import { RedisOptionsError } from "@millrace/redis-source";
import type { RedisStore } from "../redis-store.ts";
import { HashOutput } from "./redis-output.ts";
import type { HashRow, NoticeCommand } from "./redis-output.ts";
import { ResultPartition } from "./result-partition.ts";
import type { EncodedRow } from "./result-partition.ts";

/** The values of `WindowResult.cause`. A row may have a field `cause` of its own with another meaning. */
const CAUSES: ReadonlySet<string> = new Set(["watermark", "early", "late", "end", "drain", "match"]);

/** Options of {@link RedisHashResultSink}: where to find a row's window, key and revision. */
export interface RedisHashResultSinkOptions<T> {
  /** The window's name, such as its id or its opening time: the last part of the hash's name. */
  readonly window: (row: T) => string | number;
  /** The key within the window: the field of the hash. */
  readonly key: (row: T) => string;
  /** What is written of a row, as JSON. `@default the row as it is` */
  readonly row?: (row: T) => unknown;
  /** Which of several rows of the same window and key is the newest: whole numbers from 0. `@default 0 for every row` */
  readonly revision?: (row: T) => number;
  /**
   * Whether all rows of this window were written before, so that its hash must exist: true for a change by a late event.
   * `@default by the row's cause, if it is one of a WindowResult and the window is no session (whose
   * id is text): true for "late", and for "early" with a revision above 0. For other rows: a revision above 0 that
   * replaces none`
   */
  readonly correction?: (row: T) => boolean;
  /** Names of windows whose row of this key is removed, since their sessions are part of this one. `@default none` */
  readonly replaces?: (row: T) => readonly (string | number)[];
  /**
   * Last part but one of the hashes' names, `<prefix>:{<partition>}:<flow>:results:<name>:<window>`.
   * `@default the step's id`
   */
  readonly name?: string;
  /**
   * How long (ms) a window's rows stay after the last of them was written. Give at least the window's length plus the
   * allowed lateness, or a window that is corrected late comes back incomplete. `@default for ever`
   */
  readonly ttlMs?: number;
  /** Notifies subscribers of the channel `…:results:<name>` which window has new rows. `@default no notices` */
  readonly notice?: NoticeCommand;
}

/** Options of `RedisStore.results`. */
export type WindowResultOptions = Pick<
  RedisHashResultSinkOptions<WindowResult<unknown>>,
  "row" | "name" | "ttlMs" | "notice"
>;

/** Where a window's result has what the sink wants to know. */
export const WINDOW_RESULT: RedisHashResultSinkOptions<WindowResult<unknown>> = {
  window: ({ window: { id, open } }) => (typeof id === "number" ? open : id),
  key: ({ key }) => key,
  revision: ({ revision }) => revision,
  replaces: ({ replaces = [] }) => replaces,
  correction: (result) => isCorrection(result, result.revision) === true,
};

/**
 * Keeps each window's rows in a hash, one field for each key, with the row as JSON, in the same step that commits the
 * state they came from. The latest revision stays: a lower one never replaces a higher one.
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
export class RedisHashResultSink<T> implements Sink<T> {
  readonly store: RedisStore;
  readonly #options: RedisHashResultSinkOptions<T>;

  /** @throws RedisOptionsError */
  constructor(store: RedisStore, options: RedisHashResultSinkOptions<T>) {
    const { ttlMs } = options;
    if (ttlMs !== undefined && (!Number.isSafeInteger(ttlMs) || ttlMs < 1)) {
      throw new RedisOptionsError(`ttlMs is ${ttlMs}. Give a whole number of at least 1, or leave it out.`);
    }
    this.store = store;
    this.#options = options;
  }

  buildPart(_part: string, _resume: Json | undefined, context: PartContext): Promise<SinkPartition<T>> {
    const { name, ttlMs, notice } = this.#options;
    const { step } = context;
    const target = { output: name ?? step, ttlMs, notice };
    const part = new ResultPartition<T, HashRow>(
      (rows) => new HashOutput(step, target, rows),
      this.store.maxValueBytes,
      context,
      (row) => this.#encode(row),
    );
    return Promise.resolve(part);
  }

  /** @throws SinkError for an invalid revision */
  #encode(row: T): EncodedRow<HashRow> {
    const { window, key, row: rowOf, revision, replaces, correction } = this.#options;
    const number = revision?.(row) ?? 0;
    if (!Number.isSafeInteger(number) || number < 0) {
      throw new SinkError(`the revision of ${JSON.stringify(row)} is ${number}; give a whole number from 0`);
    }
    const replaced = replaces?.(row).map(String) ?? [];
    const place = { window: String(window(row)), key: key(row) };
    const late = correction?.(row) ?? isCorrection(row, number) ?? (number > 0 && replaced.length === 0);
    return {
      text: JSON.stringify(rowOf === undefined ? row : rowOf(row)),
      place,
      rowOf: (text) => ({ ...place, revision: number, correction: late, row: text, replaces: replaced }),
    };
  }
}

/**
 * Whether a row changes a window of several keys that had rows before, and comes without the others: a change by a late
 * event, or an early row after the first. `undefined`: the row does not say.
 */
function isCorrection(row: unknown, revision: number): boolean | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const cause: unknown = Reflect.get(row, "cause");
  if (typeof cause !== "string" || !CAUSES.has(cause)) return undefined;
  const window: unknown = Reflect.get(row, "window");
  // A session's hash has only one row, so it is always complete.
  const session =
    typeof window === "object" && window !== null && typeof Reflect.get(window, "id") === "string";
  return (cause === "late" || (cause === "early" && revision > 0)) && !session;
}
