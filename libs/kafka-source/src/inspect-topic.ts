import { SILENT_LOGGER, SYSTEM_TIME, messageOf } from "@millrace/dataflow";
import type { Json, Logger } from "@millrace/dataflow";
import { decodeShare } from "./assignment/division.ts";
import { resolveKafka } from "./connection/connection-options.ts";
import type { KafkaConnectionOptions } from "./connection/connection-options.ts";
import { KafkaCluster } from "./connection/kafka-cluster.ts";
import { KafkaRefusedError } from "./errors.ts";
import { readPosition } from "./source/position.ts";

/** What to look at. */
export interface TopicToInspect {
  readonly topic: string;
  /** Committed positions, by partition. */
  readonly positions: ReadonlyMap<string, Json>;
  /** Consumer groups whose members are of interest. */
  readonly groups: readonly string[];
}

/** A topic as a flow that reads it sees it. */
export interface TopicInspection {
  /**
   * By partition: how many offsets there are from the committed position to the end of the log. Markers of transactions are among
   * them. A partition whose position is of an earlier topic of that name has none.
   */
  readonly lags: ReadonlyMap<string, number>;
  readonly members: readonly KafkaMemberInspection[];
}

/** A member of a consumer group. */
export interface KafkaMemberInspection {
  readonly group: string;
  readonly member: string;
  /** The name that its program gives itself. */
  readonly client: string;
  /** Where it connects from, as the broker sees it. */
  readonly host: string;
  /** The partitions of the topic that it has; none while the group is formed anew. */
  readonly parts: readonly string[];
}

/** How to look. */
export interface InspectTopicOptions {
  /** @default none */
  readonly logger?: Logger;
  /** @default none */
  readonly signal?: AbortSignal;
}

/**
 * Shows how far a flow lags on a topic, and the members of consumer groups. It changes nothing. A group that the user may not
 * see has no members here, and a warning.
 *
 * @throws KafkaClientMissingError; KafkaTopicError; KafkaPositionError; KafkaError if there is no usable Kafka within
 *   `connectTimeoutMs`; the signal's reason
 */
export async function inspectTopic(
  connection: KafkaConnectionOptions,
  { topic, positions, groups }: TopicToInspect,
  { logger = SILENT_LOGGER, signal = new AbortController().signal }: InspectTopicOptions = {},
): Promise<TopicInspection> {
  const target = resolveKafka(connection);
  const cluster = await KafkaCluster.open(target, topic, { step: topic, logger, time: SYSTEM_TIME, signal });
  const deadline = SYSTEM_TIME.monotonic() + target.connectTimeoutMs;
  try {
    const lags = new Map<string, number>();
    for (const partition of cluster.metadata.leaders.keys()) {
      const part = `${topic}-${partition}`;
      const position = positions.get(part);
      if (position === undefined) continue;
      const { offset, topicId } = readPosition(position);
      if (topicId !== cluster.metadata.topicId) continue;
      const end = await cluster.retry(
        async () => (await cluster.leaderOf(partition)).endOf(topic, partition, "latest"),
        deadline,
      );
      lags.set(part, Math.max(end - offset, 0));
    }
    const members: KafkaMemberInspection[] = [];
    for (const group of new Set(groups)) members.push(...(await membersOf(cluster, group, deadline, logger)));
    return { lags, members };
  } finally {
    await cluster.close();
  }
}

async function membersOf(
  cluster: KafkaCluster,
  group: string,
  deadline: number,
  logger: Logger,
): Promise<readonly KafkaMemberInspection[]> {
  const { topic } = cluster;
  try {
    const members = await cluster.retry(
      async () => (await cluster.coordinatorOf(group)).describeGroup(group),
      deadline,
    );
    return members.map(({ assignment, ...member }) => ({
      group,
      ...member,
      parts: decodeShare(topic, assignment).map((partition) => `${topic}-${partition}`),
    }));
  } catch (error) {
    if (!(error instanceof KafkaRefusedError)) throw error;
    logger.warn({ event: "group-not-shown", group }, messageOf(error));
    return [];
  }
}
