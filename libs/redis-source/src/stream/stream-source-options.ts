import { RedisOptionsError } from "../errors.ts";
import type { LedgerOptions } from "../wire/producer-ledger.ts";
import { isEntryId } from "./entry-id.ts";

/**
 * Where a task begins that has never committed; one that has goes on behind its last commit, whatever is said here.
 *
 * - `committed`, `earliest`: at the first entry there is.
 * - `latest`: behind the last entry there is.
 * - an entry id: right behind that entry.
 */
export type StreamStart = "committed" | "earliest" | "latest" | (string & {});

/** Options of {@link RedisStreamSource}. */
export interface RedisStreamSourceOptions {
  /** Name of the stream; with several partitions they are named after it. */
  readonly stream: string;
  /** How many streams the events are spread over: 1 is the stream itself, more are `{stream:0}` and so on. `@default 1` */
  readonly partitions?: number;
  /**
   * The field by whose value the publisher chose the partition, which makes a `keyBy` on it whole in each.
   * `@default none: with several partitions, a flow may rely on nothing`
   */
  readonly partitionedBy?: string;
  /** Bounds of the account of numbered events. `@default DEFAULT_LEDGER_OPTIONS` */
  readonly ledger?: LedgerOptions;
  /** @default "committed" */
  readonly start?: StreamStart;
  /** Events in one batch, as far as the sizes of the entries before let it be foreseen. `@default 8_192` */
  readonly maxBatchEvents?: number;
  /** The same in bytes. `@default 4_194_304 (4 MiB)` */
  readonly maxBatchBytes?: number;
  /** How long Redis may let one read wait for entries. `@default 5_000` */
  readonly blockMs?: number;
  /**
   * A consumer group of this name shows how far the task has committed, to XINFO GROUPS and to whoever trims. No
   * entry is read through it. `true`: it has the flow's id. `@default none`
   */
  readonly group?: string | true;
  /** The least time between two updates of the group, and between two trims. `@default 1_000` */
  readonly progressEveryMs?: number;
  /** Whether entries are deleted that this task has committed and every other group has passed. Needs `group`. `@default false` */
  readonly trim?: boolean;
  /** Another group without any progress for so long holds the trimming no more. `@default 86_400_000 (a day)` */
  readonly abandonedAfterMs?: number;
  /** Entries from which on a task that does not trim warns of the stream's length, at the start and once an hour. `@default 1_000_000` */
  readonly warnAboveEntries?: number;
}

/** The same without choices left open, but for what may be absent. */
export type StreamSourceSettings = Required<
  Omit<RedisStreamSourceOptions, "stream" | "partitions" | "partitionedBy" | "group" | "ledger">
> &
  Pick<RedisStreamSourceOptions, "group" | "ledger">;

/** Settings of a source in a flow. */
export interface StreamPartitionSettings extends StreamSourceSettings {
  readonly group?: string;
}

/** @param flow the flow's id */
export function settingsIn(
  flow: string,
  { group, ...settings }: StreamSourceSettings,
): StreamPartitionSettings {
  return group === undefined ? settings : { ...settings, group: group === true ? flow : group };
}

/** Defaults of {@link RedisStreamSourceOptions}. */
export const DEFAULT_STREAM_SOURCE_OPTIONS: StreamSourceSettings = Object.freeze({
  start: "committed",
  maxBatchEvents: 8_192,
  maxBatchBytes: 4 * 1_024 * 1_024,
  blockMs: 5_000,
  progressEveryMs: 1_000,
  trim: false,
  abandonedAfterMs: 86_400_000,
  warnAboveEntries: 1_000_000,
});

const NAMED_STARTS = ["committed", "earliest", "latest"];

/** @throws RedisOptionsError */
export function checkStreamSettings(settings: StreamSourceSettings): StreamSourceSettings {
  const { start, group, trim } = settings;
  for (const name of [
    "maxBatchEvents",
    "maxBatchBytes",
    "blockMs",
    "progressEveryMs",
    "abandonedAfterMs",
    "warnAboveEntries",
  ] as const) {
    const value = settings[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RedisOptionsError(`${name} is ${value}. Give a whole number of at least 1.`);
    }
  }
  if (!NAMED_STARTS.includes(start) && !isEntryId(start)) {
    throw new RedisOptionsError(
      `start is "${start}". Give ${NAMED_STARTS.join(", ")}, or the id of an entry such as 1763848800123-0.`,
    );
  }
  if (group === "") throw new RedisOptionsError("The name of a consumer group is not empty.");
  if (trim && group === undefined) {
    throw new RedisOptionsError(
      "A task that trims must show others how far it is, or they would trim what it needs: give a group beside trim.",
    );
  }
  return settings;
}
