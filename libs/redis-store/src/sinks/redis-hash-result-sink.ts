import { SinkError } from "@millrace/dataflow";
import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import type { WindowResult } from "@millrace/windowing";
import { RedisOptionsError } from "@millrace/redis-source";
import type { RedisStore } from "../redis-store.ts";
import { HashOutput } from "./redis-output.ts";
import type { HashRow, NoticeCommand } from "./redis-output.ts";
import { ResultPartition } from "./result-partition.ts";
import type { EncodedRow } from "./result-partition.ts";

/** Why a row left its window, as `WindowResult` has it. Rows may have a `cause` of their own that means something else. */
const CAUSES: ReadonlySet<string> = new Set(["watermark", "early", "late", "end", "drain", "match"]);

/** Options of {@link RedisHashResultSink}: where a row's window, key and revision are to be found. */
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
   * Whether all rows of this window were written before, so that its hash must be there: true for what a late event
   * changed. `@default by the row's own cause where it has one as a WindowResult has, and is of no session (a window whose
   * id is text): "late", or "early" with a revision above 0; of other rows those whose revision is above 0 and that
   * replace none`
   */
  readonly correction?: (row: T) => boolean;
  /** Names of windows whose row of this key is void now, since their sessions are part of this one. `@default none` */
  readonly replaces?: (row: T) => readonly (string | number)[];
  /**
   * Last part but one of the hashes' names, `<prefix>:{<partition>}:<flow>:results:<name>:<window>`.
   * `@default the step's id`
   */
  readonly name?: string;
  /**
   * How long (ms) a window's rows stay after the last of them was written. Give at least the window's length and the
   * allowed lateness together, or a window that is corrected late comes back in part. `@default for ever`
   */
  readonly ttlMs?: number;
  /** Tells subscribers of the channel `…:results:<name>` which window has new rows. `@default nobody is told` */
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
 * Keeps each window's rows in a hash, one field a key, with the row as JSON, in the very step that commits the
 * state it came from. Of several revisions the latest stays: a lower one never replaces a higher one.
 *
 * It belongs to a store, whose commits carry its rows: a flow that is run with another one is refused.
 *
 * A window whose hash is gone (it expired, was evicted or deleted) cannot be written whole again when a late event
 * corrects one of its rows: the store keeps no rows. Such a row has the field `"otherRows": "gone"`, in this revision
 * and all later ones; a window without it has all its rows. That asks of a row to be an object as JSON.
 *
 * In the place of a row above the store's `maxValueBytes` stands `{"window", "key", "tooLarge": bytes}`, and the log
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

  /** @throws SinkError for a revision that is none */
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
 * Whether a row changes a window of several keys that has had rows, and comes without the others: what a late event
 * changed, and an early row after the first. `undefined`: the row does not say.
 */
function isCorrection(row: unknown, revision: number): boolean | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const cause: unknown = Reflect.get(row, "cause");
  if (typeof cause !== "string" || !CAUSES.has(cause)) return undefined;
  const window: unknown = Reflect.get(row, "window");
  // A session's hash has one row: it is whole by itself.
  const session =
    typeof window === "object" && window !== null && typeof Reflect.get(window, "id") === "string";
  return (cause === "late" || (cause === "early" && revision > 0)) && !session;
}
