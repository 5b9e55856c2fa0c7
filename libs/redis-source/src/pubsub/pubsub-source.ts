import type {
  Json,
  PartContext,
  Partitioning,
  PositionCodec,
  RawLine,
  Source,
  StartContext,
} from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { readingNeeds } from "../connection/explain-failure.ts";
import { divideLedger, readLedgerState, uniteLedger } from "../wire/ledger-state.ts";
import { RedisOptionsError } from "../errors.ts";
import { LayoutGuard, isOnePartition } from "../partitions/layout-record.ts";
import { layoutOf } from "../partitions/partition-layout.ts";
import { PubSubPartition } from "./pubsub-partition.ts";
import { channelsOf, partitioningOf, settingsOf } from "./pubsub-source-options.ts";
import type { PubSubSettings, RedisPubSubSourceOptions } from "./pubsub-source-options.ts";

/**
 * Reads Redis Pub/Sub channels. Each channel is a partition, named as the channel, with a connection of its own.
 *
 * Pub/Sub delivers at most once: what is published without a subscriber (before the start, during an outage, after a
 * crash) is gone, and no position could bring it back. With frames the loss is at least known: the numbers show how many
 * events are missing, and when they were published. The position is the account of those numbers.
 */
export class RedisPubSubSource implements Source<RawLine> {
  readonly partitioning: Partitioning;
  /** The account of numbers grows with the producers: a commit keeps what changed of it. */
  readonly positions: PositionCodec = { divide: divideLedger, unite: uniteLedger };
  readonly #connection: RedisConnectionOptions;
  readonly #channels: readonly string[];
  readonly #settings: PubSubSettings;
  /** Channels that this process reads. */
  #partitions: number;
  readonly #layout: LayoutGuard | undefined;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisPubSubSourceOptions) {
    resolveTarget(connection);
    this.#connection = connection;
    this.#channels = channelsOf(options);
    this.#settings = settingsOf(options);
    this.#partitions = this.#channels.length;
    this.partitioning = partitioningOf(this.#channels, options.partitionedBy);
    const { channel: name, partitions = 1, partitionedBy } = options;
    const layout = layoutOf(partitions, partitionedBy);
    // Channels with names of their own are not divided, so they have no layout.
    if (name === undefined || isOnePartition(name)) return;
    const { transport } = this.#settings;
    this.#layout = new LayoutGuard(connection, { name, transport }, layout, () => this.#needs);
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve(this.#channels);
  }

  /**
   * @throws PartitionLayoutError if publishers divide the channel differently; RedisError if there is no usable Redis
   *   within `connectTimeoutMs`; the reason of the context's signal
   */
  async checkStart(parts: readonly string[], context: StartContext): Promise<void> {
    this.#partitions = parts.length;
    await this.#layout?.begin(context);
  }

  /** @throws RedisPositionError for a position of another kind of source, such as streams */
  checkPosition(_part: string, position: Json): void {
    if (position !== null) readLedgerState(position);
  }

  /**
   * Resolves when Redis has confirmed the subscription: what is published from then on arrives.
   *
   * @throws RedisPositionError if `resume` is no position of this source; otherwise as {@link checkStart}
   */
  async buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<PubSubPartition> {
    if (!this.#channels.includes(part)) {
      throw new RedisOptionsError(`There is no channel "${part}". Give one of ${this.#channels.join(", ")}.`);
    }
    await this.#layout?.begin(context);
    const settings = { ...this.#settings, needs: this.#needs };
    return PubSubPartition.open(this.#connection, part, settings, resume, this.#layout, context);
  }

  get #needs(): string {
    return readingNeeds("channel", this.#partitions, false);
  }
}
