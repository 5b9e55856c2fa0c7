import { timeOf } from "@millrace/dataflow";
import { RedisOptionsError } from "../errors.ts";
import type { LedgerOptions } from "../wire/producer-ledger.ts";
import type { Names } from "../partitions/partition-names.ts";
import { DATA_FIELD } from "./entry-decoder.ts";
import type { EntryForm } from "./entry-decoder.ts";
import { isEntryId } from "./entry-id.ts";

/**
 * Where a task without a commit begins. A task with a commit continues after it, whatever this option says.
 *
 * - `committed`, `earliest`: at the first entry.
 * - `latest`: after the last entry.
 * - an entry id: right after that entry.
 * - an ISO time with its zone, such as `2026-11-28T10:00:00Z`: at the first entry that was added then or later.
 *
 * With an id or a time, windows that open earlier have no rows, since they are read in part.
 */
export type StreamStart = "committed" | "earliest" | "latest" | (string & {});

/** Options of {@link RedisStreamSource}. */
export interface RedisStreamSourceOptions {
  /** Name of the stream, after which its partitions are named; or the names of several streams, each a partition. */
  readonly stream: Names;
  /**
   * How many streams the events of one name are spread over: 1 is the stream itself, more are `{stream:0}` and so on.
   * `@default 1`
   */
  readonly partitions?: number;
  /**
   * The field by whose value the publisher chose the stream. With it, a `keyBy` on that field needs no other partition.
   * `@default none: with several partitions, a flow can assume nothing`
   */
  readonly partitionedBy?: string;
  /** How entries carry events: in one field, or as all of their fields. `@default { field: "data" }` */
  readonly entries?: EntryForm;
  /** Limits of the account of numbered events. `@default DEFAULT_LEDGER_OPTIONS` */
  readonly ledger?: LedgerOptions;
  /** @default "committed" */
  readonly start?: StreamStart;
  /** Most events in one batch, as predicted from the sizes of earlier entries. `@default 8_192` */
  readonly maxBatchEvents?: number;
  /** The same in bytes. `@default 4_194_304 (4 MiB)` */
  readonly maxBatchBytes?: number;
  /** How long one read may wait for entries, ms. `@default 5_000` */
  readonly blockMs?: number;
  /**
   * The name of a consumer group that shows how far the task has committed: to XINFO GROUPS, and to programs that trim.
   * No entry is read through it. `true`: it has the flow's id. `@default none`
   */
  readonly group?: string | true;
  /** The least time between two updates of the group, and between two trims, ms. `@default 1_000` */
  readonly progressEveryMs?: number;
  /** Whether entries are deleted that this task has committed and every other group has passed. Needs `group`. `@default false` */
  readonly trim?: boolean;
  /** Another group without progress for this long, ms, no longer blocks trimming. `@default 86_400_000 (a day)` */
  readonly abandonedAfterMs?: number;
  /** A task that does not trim warns of more entries than this, at the start and once an hour. `@default 1_000_000` */
  readonly warnAboveEntries?: number;
}

/** Resolved options. */
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
  entries: Object.freeze({ field: DATA_FIELD }),
  start: "committed",
  maxBatchEvents: 8_192,
  maxBatchBytes: 4 * 1_024 * 1_024,
  blockMs: 5_000,
  progressEveryMs: 1_000,
  trim: false,
  abandonedAfterMs: 86_400_000,
  warnAboveEntries: 1_000_000,
});

/** Whether a text says where reading begins. */
export function isStreamStart(text: string): boolean {
  return ["committed", "earliest", "latest"].includes(text) || isEntryId(text) || !Number.isNaN(timeOf(text));
}

/** @throws RedisOptionsError */
export function checkStreamSettings(settings: StreamSourceSettings): StreamSourceSettings {
  const { start, group, trim, entries } = settings;
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
  if (!isStreamStart(start)) {
    throw new RedisOptionsError(
      `start is "${start}". Give committed, earliest or latest, the id of an entry such as 1763848800123-0, or a time with ` +
        "its zone such as 2026-11-28T10:00:00Z.",
    );
  }
  if (entries !== "fields" && (typeof entries !== "object" || entries.field === "")) {
    throw new RedisOptionsError(
      `entries is ${JSON.stringify(entries)}. Give "fields", or the field of the messages such as { field: "${DATA_FIELD}" }.`,
    );
  }
  if (group === "")
    throw new RedisOptionsError("The name of a consumer group is empty. Give a name, or leave it out.");
  if (trim && group === undefined) {
    throw new RedisOptionsError(
      "trim needs a group, which shows other readers how far this task is, so that they do not trim what it needs: give a group.",
    );
  }
  return settings;
}
