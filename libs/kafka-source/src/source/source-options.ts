import { timeOf } from "@millrace/dataflow";
import type { LedgerOptions } from "@millrace/redis-source";
import { KafkaOptionsError } from "../errors.ts";

/**
 * Where a task without a commit begins. A task with a commit continues after it, whatever this option says.
 *
 * - `committed`, `earliest`: at the first record of the partition.
 * - `latest`: after the last one.
 * - an ISO time with its zone, such as `2026-11-28T10:00:00Z`: at the first record with that time or a later one; at the end
 *   if there is none.
 * - an offset, as digits: at its record.
 *
 * With a time or an offset, windows that open earlier have no rows, since they are read in part.
 */
export type KafkaStart = "committed" | "earliest" | "latest" | (string & {});

const OFFSET = /^\d{1,15}$/;

/** Whether a text says where reading begins. */
export function isKafkaStart(text: string): boolean {
  return (
    ["committed", "earliest", "latest"].includes(text) || OFFSET.test(text) || !Number.isNaN(timeOf(text))
  );
}

/** Options of {@link KafkaSource}. */
export interface KafkaSourceOptions {
  readonly topic: string;
  /**
   * The field by whose value the producers choose the partition, such as the one whose value is the record's key. With it,
   * a `keyBy` on that field needs no other partition. `@default none: a flow can assume nothing`
   */
  readonly partitionedBy?: string;
  /** @default "committed" */
  readonly start?: KafkaStart;
  /**
   * The consumer group whose offsets show how far the tasks have committed, for Kafka's own tools. Nothing is read through
   * it, and it may have no members. `true`: it has the flow's id; `false`: none. `@default true`
   */
  readonly group?: string | boolean;
  /** The least time between two updates of the group's offsets, ms. `@default 1_000` */
  readonly progressEveryMs?: number;
  /** Most events in one batch; of one record's lines all are delivered. `@default 8_192` */
  readonly maxBatchEvents?: number;
  /**
   * Most bytes of a partition in one answer, as they are in the log. Up to twice as many wait for the flow; beyond that the
   * partition is not read. A batch of records that is larger is read alone. `@default 1_048_576 (1 MiB)`
   */
  readonly maxFetchBytes?: number;
  /** How long one read may wait for records, ms. `@default 500` */
  readonly maxWaitMs?: number;
  /** Limits of the account of numbered events. `@default DEFAULT_LEDGER_OPTIONS` */
  readonly ledger?: LedgerOptions;
}

/** Resolved options. */
export type KafkaSourceSettings = Required<Omit<KafkaSourceOptions, "topic" | "partitionedBy" | "ledger">> &
  Pick<KafkaSourceOptions, "ledger">;

/** Defaults of {@link KafkaSourceOptions}. */
export const DEFAULT_KAFKA_SOURCE_OPTIONS: KafkaSourceSettings = Object.freeze({
  start: "committed",
  group: true,
  progressEveryMs: 1_000,
  maxBatchEvents: 8_192,
  maxFetchBytes: 1_024 * 1_024,
  maxWaitMs: 500,
});

const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;

/** @throws KafkaOptionsError */
export function checkTopic(topic: string): string {
  if (TOPIC.test(topic) && topic !== "." && topic !== "..") return topic;
  throw new KafkaOptionsError(
    `topic is ${JSON.stringify(topic)}. Give a name of 1 to 249 characters A-Z a-z 0-9 . _ -`,
  );
}

/** @throws KafkaOptionsError */
export function checkSourceSettings(settings: KafkaSourceSettings): KafkaSourceSettings {
  const { start, group } = settings;
  for (const name of ["progressEveryMs", "maxBatchEvents", "maxFetchBytes", "maxWaitMs"] as const) {
    const value = settings[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new KafkaOptionsError(`${name} is ${value}. Give a whole number of at least 1.`);
    }
  }
  if (!isKafkaStart(start)) {
    throw new KafkaOptionsError(
      `start is "${start}". Give committed, earliest or latest, an offset, or a time with its zone such as 2026-11-28T10:00:00Z.`,
    );
  }
  if (group === "") {
    throw new KafkaOptionsError("The name of a consumer group is empty. Give a name, or leave it out.");
  }
  return settings;
}
