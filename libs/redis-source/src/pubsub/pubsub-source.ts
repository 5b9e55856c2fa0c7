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
import { LayoutGuards } from "../partitions/layout-guards.ts";
import { layoutOf } from "../partitions/partition-layout.ts";
import { sourceFrom } from "../wire/line-with-origin.ts";
import type { LineWithOrigin } from "../wire/line-with-origin.ts";
import type { DeliverLines } from "./inbox.ts";
import { PubSubPartition } from "./pubsub-partition.ts";
import { partitioningOf, settingsOf, topicsOf } from "./pubsub-source-options.ts";
import type { PubSubSettings, RedisPubSubSourceOptions, Topic } from "./pubsub-source-options.ts";

const NO_FIELDS = Object.freeze({});

/**
 * Reads Redis Pub/Sub channels. Each channel is a partition, named as the channel, with a connection of its own. All
 * channels that match a pattern are one partition, `pattern:<pattern>`.
 *
 * Pub/Sub delivers at most once: what is published without a subscriber (before the start, during an outage, after a
 * crash) is gone, and no position could bring it back. With frames the loss is at least known: the numbers show how many
 * events are missing, and when they were published. The position is the account of those numbers.
 */
export class RedisPubSubSource implements Source<RawLine> {
  readonly partitioning: Partitioning;
  readonly keepsEvents = false;
  /** The account of numbers grows with the producers: a commit keeps what changed of it. */
  readonly positions: PositionCodec = { divide: divideLedger, unite: uniteLedger };
  readonly #connection: RedisConnectionOptions;
  /** By partition. */
  readonly #topics: ReadonlyMap<string, Topic>;
  readonly #settings: PubSubSettings;
  /** Partitions that this process reads. */
  #partitions: number;
  readonly #layouts: LayoutGuards;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisPubSubSourceOptions) {
    resolveTarget(connection);
    this.#connection = connection;
    this.#topics = topicsOf(options);
    this.#settings = settingsOf(options);
    this.#partitions = this.#topics.size;
    const { channel = [], partitions = 1, partitionedBy, transport = "pubsub" } = options;
    this.partitioning = partitioningOf([...this.#topics.keys()], partitionedBy);
    const layout = layoutOf(partitions, partitionedBy);
    this.#layouts = new LayoutGuards(connection, channel, transport, layout, () => this.#needs);
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve([...this.#topics.keys()]);
  }

  /**
   * @throws PartitionLayoutError if publishers divide the channel differently; RedisError if there is no usable Redis
   *   within `connectTimeoutMs`; the reason of the context's signal
   */
  async checkStart(parts: readonly string[], context: StartContext): Promise<void> {
    this.#partitions = parts.length;
    await this.#layouts.begin(parts, context);
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
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<PubSubPartition> {
    return this.#open(part, resume, context, (lines) => lines);
  }

  /** The same source, whose lines come with the name of their channel. A flow reads either this or the source itself. */
  withOrigin(): Source<LineWithOrigin> {
    return sourceFrom(this, (part, resume, context) =>
      this.#open(part, resume, context, (lines, channel = part) =>
        lines.map((line) => ({ line, channel, fields: NO_FIELDS })),
      ),
    );
  }

  async #open<T>(
    part: string,
    resume: Json | undefined,
    context: PartContext,
    deliver: DeliverLines<T>,
  ): Promise<PubSubPartition<T>> {
    const topic = this.#topics.get(part);
    if (topic === undefined) {
      throw new RedisOptionsError(
        `There is no channel "${part}". Give one of ${[...this.#topics.keys()].join(", ")}.`,
      );
    }
    await this.#layouts.begin([part], context);
    const settings = { ...this.#settings, needs: this.#needs };
    const layout = this.#layouts.of(part);
    return PubSubPartition.open(this.#connection, topic, settings, resume, layout, deliver, context);
  }

  get #needs(): string {
    return readingNeeds("channel", this.#partitions, false);
  }
}
