import type { AssignedTasks, Assignment, AssignmentContext, Membership } from "@millrace/dataflow";
import { resolveKafka } from "../connection/connection-options.ts";
import type { KafkaConnectionOptions, KafkaTarget } from "../connection/connection-options.ts";
import { KafkaCluster } from "../connection/kafka-cluster.ts";
import { KafkaOptionsError } from "../errors.ts";
import { GroupMembership } from "./group-membership.ts";

/** Options of a {@link KafkaAssignment}. */
export interface KafkaAssignmentOptions {
  /**
   * The consumer group that the workers are members of. It must not be the one in which the source shows its progress, since
   * Kafka takes such offsets only for groups without members. `@default "<flow>-workers"`
   */
  readonly group?: string;
  /**
   * How long (ms) a worker keeps its partitions without a heartbeat: so long the partitions of one that crashed stand still.
   * Ten heartbeats are sent in that time. Brokers accept 6 s to 30 min, unless they are set otherwise. `@default 10_000`
   */
  readonly sessionTimeoutMs?: number;
}

/** The default options of a {@link KafkaAssignment}. */
export const DEFAULT_KAFKA_ASSIGNMENT_OPTIONS: Readonly<{ sessionTimeoutMs: number }> = Object.freeze({
  sessionTimeoutMs: 10_000,
});

/**
 * Shares a flow's tasks among its workers by the protocol of Kafka's consumer groups: the workers are members of a group, one of
 * them divides the partitions, and Kafka's own tools show who has what. A rebalance stops no task that stays where it is, and
 * a partition that moves is closed by the one before it is given to the other. Offsets are not part of it: positions are in the
 * flow's store.
 *
 * The flow's input must be a `KafkaSource`.
 */
export class KafkaAssignment implements Assignment {
  readonly shared = true;
  readonly #target: KafkaTarget;
  readonly #group: string | undefined;
  readonly #sessionMs: number;

  /** Connects when a run starts. @throws KafkaOptionsError */
  constructor(connection: KafkaConnectionOptions, options: KafkaAssignmentOptions = {}) {
    this.#target = resolveKafka(connection);
    this.#group = options.group;
    this.#sessionMs = options.sessionTimeoutMs ?? DEFAULT_KAFKA_ASSIGNMENT_OPTIONS.sessionTimeoutMs;
    if (options.group === "")
      throw new KafkaOptionsError("The name of a group of workers is empty. Give it a name.");
    if (!Number.isSafeInteger(this.#sessionMs) || this.#sessionMs < 1) {
      throw new KafkaOptionsError(
        `sessionTimeoutMs is ${this.#sessionMs}. Give a whole number of at least 1.`,
      );
    }
  }

  /**
   * @throws KafkaOptionsError if the parts are not those of one topic; KafkaGroupError for a group whose members share
   *   something else; KafkaError
   */
  async join(
    parts: readonly string[],
    tasks: AssignedTasks,
    context: AssignmentContext,
  ): Promise<Membership> {
    const topic = topicOf(parts);
    const { flow, logger, time, signal } = context;
    const group = this.#group ?? `${flow}-workers`;
    const cluster = await KafkaCluster.open(this.#target, topic, { logger, time, signal, step: group });
    const membership = new GroupMembership({
      cluster,
      group,
      sessionMs: this.#sessionMs,
      parts,
      tasks,
      context,
    });
    await membership.begin();
    return membership;
  }
}

/** @throws KafkaOptionsError */
function topicOf(parts: readonly string[]): string {
  const topic = parts[0]?.slice(0, -"-0".length) ?? "";
  if (parts.length > 0 && parts.every((part, partition) => part === `${topic}-${partition}`)) return topic;
  throw new KafkaOptionsError(
    `KafkaAssignment shares all partitions of one topic, and the flow has ${parts.join(", ")}. ` +
      "Let the flow read a KafkaSource, or share its partitions by a RedisAssignment.",
  );
}
