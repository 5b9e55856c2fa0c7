import { timeOf } from "@millrace/dataflow";
import type { KafkaCluster } from "../connection/kafka-cluster.ts";
import type { KafkaPosition } from "./position.ts";
import type { KafkaStart } from "./source-options.ts";

/** What retention deleted, if records that should be read may have been among it. Times in ms. */
export interface Gone {
  readonly offsets: number;
  readonly from: number;
  readonly to: number;
}

/** Where a task without a commit begins to read. */
export interface Beginning {
  readonly position: KafkaPosition;
  readonly gone: Gone | undefined;
}

/**
 * Finds where reading begins in a partition, and from which time on it reads all.
 *
 * @throws KafkaError
 */
export async function beginIn(
  cluster: KafkaCluster,
  partition: number,
  start: KafkaStart,
  now: number,
): Promise<Beginning> {
  const { topic } = cluster;
  const time = timeOf(start);
  const { offset, wholeFrom, gone } = await cluster.retry(async (): Promise<Place> => {
    const leader = await cluster.leaderOf(partition);
    if (start === "latest") return { offset: await leader.endOf(topic, partition, "stable") };
    const earliest = await leader.endOf(topic, partition, "earliest");
    if (start === "committed" || start === "earliest") return { offset: earliest };
    // Of an offset that retention deleted, the reader counts the loss.
    if (Number.isNaN(time)) return { offset: Number(start), wholeFrom: start === "0" ? undefined : null };
    const first = await leader.firstSince(topic, partition, time);
    if (first !== undefined) return placeOf(time, earliest, first.offset, first.time);
    return placeOf(time, earliest, await leader.endOf(topic, partition, "stable"), now);
  });
  const { topicId, leaders } = cluster.metadata;
  const partitions = leaders.length;
  return { position: { topicId, partitions, offset, losses: [], ledger: undefined, wholeFrom }, gone };
}

interface Place {
  readonly offset: number;
  readonly wholeFrom?: KafkaPosition["wholeFrom"];
  readonly gone?: Gone | undefined;
}

/** @param firstTime of the record at the offset (ms), or at which one may come */
export function placeOf(time: number, earliest: number, offset: number, firstTime: number): Place {
  if (offset > earliest) return { offset, wholeFrom: time, gone: undefined };
  // Nothing is before it.
  if (earliest === 0) return { offset, wholeFrom: undefined, gone: undefined };
  // Of one millisecond some records may be left.
  const to = Math.max(time, firstTime + 1);
  return { offset, wholeFrom: to, gone: { offsets: earliest, from: time, to } };
}
