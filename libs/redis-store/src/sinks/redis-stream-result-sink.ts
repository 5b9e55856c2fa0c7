import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import { RedisOptionsError } from "@millrace/redis-source";
import type { RedisStore } from "../redis-store.ts";
import { checkVersion, outputNamed } from "./output-name.ts";
import { StreamOutput } from "./redis-output.ts";
import type { NoticeCommand } from "./redis-output.ts";
import { ResultPartition } from "./result-partition.ts";

/** Options of {@link RedisStreamResultSink}. */
export interface RedisStreamResultSinkOptions {
  /** Last part of the stream's name, `<prefix>:{<partition>}:<flow>:results:<name>`. `@default the step's id` */
  readonly name?: string;
  /** Another version of the same results, as `RedisHashResultSinkOptions.version`. `@default none` */
  readonly version?: string;
  /** Entries that the stream keeps, approximately: Redis deletes whole nodes. `@default 100_000` */
  readonly maxLength?: number;
  /** Notifies subscribers of the channel that has the stream's name. `@default no notices` */
  readonly notice?: NoticeCommand;
}

/** The defaults of options. */
export const DEFAULT_STREAM_RESULT_SINK_OPTIONS: Readonly<{ maxLength: number }> = Object.freeze({
  maxLength: 100_000,
});

/**
 * Appends each row to a stream, in the same step that commits the state it came from: every row is there once,
 * also after a crash. An entry has one field, `row`, with the row as JSON. A row above the store's
 * `maxValueBytes` is replaced by `{"tooLarge": bytes}`, and the log has a warning.
 *
 * It belongs to a store, whose commits carry its rows: a flow that runs with another store is refused.
 */
export class RedisStreamResultSink<T> implements Sink<T> {
  readonly store: RedisStore;
  readonly #options: RedisStreamResultSinkOptions;
  readonly #maxLength: number;

  /** @throws RedisOptionsError */
  constructor(store: RedisStore, options: RedisStreamResultSinkOptions = {}) {
    this.store = store;
    const { maxLength = DEFAULT_STREAM_RESULT_SINK_OPTIONS.maxLength } = options;
    if (!Number.isSafeInteger(maxLength) || maxLength < 1) {
      throw new RedisOptionsError(`maxLength is ${maxLength}. Give a whole number of at least 1.`);
    }
    checkVersion(options.version);
    this.#options = options;
    this.#maxLength = maxLength;
  }

  buildPart(_part: string, _resume: Json | undefined, context: PartContext): Promise<SinkPartition<T>> {
    const { name, version, notice } = this.#options;
    const { step } = context;
    const target = { output: outputNamed(name ?? step, version), maxLength: this.#maxLength, notice };
    const part = new ResultPartition<T, string>(
      (rows) => new StreamOutput(step, target, rows),
      this.store.maxValueBytes,
      context,
      (row) => ({ text: JSON.stringify(row), rowOf: (text) => text, place: {} }),
    );
    return Promise.resolve(part);
  }
}
