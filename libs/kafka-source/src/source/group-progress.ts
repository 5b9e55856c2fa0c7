import type { PartContext } from "@millrace/dataflow";
import type { KafkaCluster } from "../connection/kafka-cluster.ts";
import { KafkaClosedError } from "../errors.ts";

/** How long a close waits for a Kafka that hangs, ms. */
const LAST_UPDATE_MS = 1_000;

/**
 * Shows the committed offsets of a source's partitions as those of a consumer group. It works in the background, at most
 * once in `everyMs`, and reaches the last commit as soon as Kafka accepts it.
 */
export class GroupProgress {
  readonly #cluster: KafkaCluster;
  readonly #group: string;
  readonly #everyMs: number;
  readonly #context: Pick<PartContext, "logger" | "time" | "step">;
  #latest = new Map<number, number>();
  #nextAt = Number.NEGATIVE_INFINITY;
  #cancelAlarm: (() => void) | undefined;
  #working: Promise<void> | undefined;
  #closed = false;
  #failing = false;

  constructor(
    cluster: KafkaCluster,
    group: string,
    everyMs: number,
    context: Pick<PartContext, "logger" | "time" | "step">,
  ) {
    this.#cluster = cluster;
    this.#group = group;
    this.#everyMs = everyMs;
    this.#context = context;
  }

  committed(partition: number, offset: number): void {
    this.#latest.set(partition, offset);
    this.#plan();
  }

  /** Moves the group to the last commit, if Kafka is there. No update starts after that. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelAlarm?.();
    if (this.#latest.size === 0 && this.#working === undefined) return;
    const { time } = this.#context;
    let cancel: (() => void) | undefined;
    const limit = new Promise<void>((resolve) => {
      cancel = time.wakeAfter(LAST_UPDATE_MS, resolve);
    });
    const last = async (): Promise<void> => {
      await this.#working;
      await this.#update();
    };
    await Promise.race([last(), limit]);
    cancel?.();
  }

  #plan(): void {
    if (this.#closed || this.#working !== undefined || this.#cancelAlarm !== undefined) return;
    const { time } = this.#context;
    this.#cancelAlarm = time.wakeAfter(Math.max(this.#nextAt - time.monotonic(), 0), () => {
      this.#cancelAlarm = undefined;
      this.#working = this.#update().finally(() => {
        this.#working = undefined;
        if (this.#latest.size > 0) this.#plan();
      });
    });
  }

  async #update(): Promise<void> {
    const offsets = this.#latest;
    if (offsets.size === 0) return;
    this.#latest = new Map();
    try {
      await this.#cluster.retry(async () => {
        const coordinator = await this.#cluster.coordinatorOf(this.#group);
        await coordinator.commitOffsets(this.#group, this.#cluster.topic, offsets);
      });
      this.#failing = false;
    } catch (error) {
      // They are sent again, except those that a newer commit has replaced.
      this.#latest = new Map([...offsets, ...this.#latest]);
      this.#warn(error);
    }
    this.#nextAt = this.#context.time.monotonic() + this.#everyMs;
  }

  /** Logs a failure once. The flow's results do not depend on it, and it is tried again. */
  #warn(error: unknown): void {
    if (error instanceof KafkaClosedError || this.#failing) return;
    this.#failing = true;
    const { logger, step } = this.#context;
    logger.warn(
      { event: "progress-failed", group: this.#group, step, err: error },
      `the offsets of group ${this.#group} cannot be updated: ${error instanceof Error ? error.message : "unknown"}`,
    );
  }
}
