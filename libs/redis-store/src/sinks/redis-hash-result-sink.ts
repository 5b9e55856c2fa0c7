import { SinkError } from "@millrace/dataflow";
import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import type { RedisStore } from "../redis-store.ts";
import { ResultPartition } from "./result-partition.ts";
import { hashRowToJson } from "./result-target.ts";
import type { NoticeCommand } from "./result-target.ts";

/** Options of {@link RedisHashResultSink}: where a row's window, key and revision are to be found. */
export interface RedisHashResultSinkOptions<T> {
  /** The window's name, such as its id or its opening time: the last part of the hash's name. */
  readonly window: (row: T) => string | number;
  /** The key within the window: the field of the hash. */
  readonly key: (row: T) => string;
  /** Which of several rows of the same window and key is the newest: whole numbers from 0. `@default 0 for every row` */
  readonly revision?: (row: T) => number;
  /**
   * Whether rows of this window were shown before, so that its hash must be there. `@default the rows whose revision
   * is above 0 and that replace none`
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

/**
 * Keeps each window's rows in a hash, one field a key, with the row as JSON, in the very step that commits the
 * state it came from. Of several revisions the latest stays: a lower one never replaces a higher one.
 *
 * It belongs to a store, whose commits carry its rows: a flow that is run with another one is refused.
 *
 * A window whose hash is gone (it expired, was evicted or deleted) cannot be written whole again when a late event
 * corrects one of its rows: the store keeps no rows. Such a row has the field `"otherRows": "gone"`, in this revision
 * and all later ones; a window without it has all its rows. That asks of a row to be an object as JSON.
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

  buildPart(_part: string, _resume: Json | undefined, { step }: PartContext): Promise<SinkPartition<T>> {
    const { name, ttlMs, notice } = this.#options;
    const target = {
      kind: "redis-hash",
      output: name ?? step,
      ttlMs: ttlMs ?? null,
      notice: notice ?? null,
    } as const;
    return Promise.resolve(new ResultPartition<T>(step, target, (row) => this.#toJson(row)));
  }

  /** @throws SinkError for a revision that is none */
  #toJson(row: T): Json {
    const { window, key, revision, replaces, correction } = this.#options;
    const number = revision?.(row) ?? 0;
    if (!Number.isSafeInteger(number) || number < 0) {
      throw new SinkError(`the revision of ${JSON.stringify(row)} is ${number}; give a whole number from 0`);
    }
    const replaced = replaces?.(row).map(String) ?? [];
    return hashRowToJson({
      window: String(window(row)),
      key: key(row),
      revision: number,
      correction: correction?.(row) ?? (number > 0 && replaced.length === 0),
      row: JSON.stringify(row),
      replaces: replaced,
    });
  }
}
