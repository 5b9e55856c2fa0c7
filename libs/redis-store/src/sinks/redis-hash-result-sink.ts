import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import { ResultPartition } from "./result-partition.ts";
import { hashRowToJson } from "./result-target.ts";
import type { NoticeCommand } from "./result-target.ts";

/** Options of {@link RedisHashResultSink}: where a row's window, key and revision are to be found. */
export interface RedisHashResultSinkOptions<T> {
  /** The window's name, such as its id or its opening time: the last part of the hash's name. */
  readonly window: (row: T) => string | number;
  /** The key within the window: the field of the hash. */
  readonly key: (row: T) => string;
  /** Which of several rows of the same window and key is the newest. `@default 0 for every row` */
  readonly revision?: (row: T) => number;
  /** Names of windows whose row of this key is void now, since their sessions are part of this one. `@default none` */
  readonly replaces?: (row: T) => readonly (string | number)[];
  /**
   * Last part but one of the hashes' names, `<prefix>:{<partition>}:<flow>:results:<name>:<window>`.
   * `@default the step's id`
   */
  readonly name?: string;
  /** How long a window's rows stay after the last of them was written. `@default for ever` */
  readonly ttlMs?: number;
  /** Tells subscribers of the channel `…:results:<name>` which window has new rows. `@default nobody is told` */
  readonly notice?: NoticeCommand;
}

/**
 * Keeps each window's rows in a hash, one field a key, with the row as JSON, in the very step that commits the
 * state it came from. Of several revisions the latest stays: a lower one never replaces a higher one.
 *
 * It works with a `RedisStore` only, whose commits carry its rows.
 */
export class RedisHashResultSink<T> implements Sink<T> {
  readonly #options: RedisHashResultSinkOptions<T>;

  /** @throws RedisOptionsError */
  constructor(options: RedisHashResultSinkOptions<T>) {
    const { ttlMs } = options;
    if (ttlMs !== undefined && (!Number.isSafeInteger(ttlMs) || ttlMs < 1)) {
      throw new RedisOptionsError(`ttlMs is ${ttlMs}. Give a whole number of at least 1, or leave it out.`);
    }
    this.#options = options;
  }

  buildPart(_part: string, _resume: Json | undefined, { step }: PartContext): Promise<SinkPartition<T>> {
    const { window, key, revision, replaces, name, ttlMs, notice } = this.#options;
    const target = {
      kind: "redis-hash",
      output: name ?? step,
      ttlMs: ttlMs ?? null,
      notice: notice ?? null,
    } as const;
    const toJson = (row: T): Json =>
      hashRowToJson({
        window: String(window(row)),
        key: key(row),
        revision: revision?.(row) ?? 0,
        row: JSON.stringify(row),
        replaces: replaces?.(row).map(String) ?? [],
      });
    return Promise.resolve(new ResultPartition<T>(step, target, toJson));
  }
}
