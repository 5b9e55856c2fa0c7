import type { Json, PartContext, Partitioning, PositionCodec, RawLine, Source } from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { divideLedger, readLedgerState, uniteLedger } from "../delivery/ledger-state.ts";
import { RedisOptionsError } from "../errors.ts";
import { PubSubPartition } from "./pubsub-partition.ts";
import { channelsOf, partitioningOf, settingsOf } from "./pubsub-source-options.ts";
import type { PubSubSettings, RedisPubSubSourceOptions } from "./pubsub-source-options.ts";

/**
 * Reads Redis Pub/Sub channels. Each channel is a partition, named as the channel, with a connection of its own.
 *
 * Pub/Sub delivers at most once: what is published while nobody is subscribed (before the start, during an
 * outage, after a crash) is gone, and no position could bring it back. With frames it is at least known: the numbers
 * tell how many events are missing, and when they were published. The position is the account of those numbers.
 */
export class RedisPubSubSource implements Source<RawLine> {
  readonly partitioning: Partitioning;
  /** The account of numbers grows with the producers: a commit keeps what changed of it. */
  readonly positions: PositionCodec = { divide: divideLedger, unite: uniteLedger };
  readonly #connection: RedisConnectionOptions;
  readonly #channels: readonly string[];
  readonly #settings: PubSubSettings;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisPubSubSourceOptions) {
    resolveTarget(connection);
    this.#connection = connection;
    this.#channels = channelsOf(options);
    this.#settings = settingsOf(options);
    this.partitioning = partitioningOf(this.#channels, options.partitionedBy);
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve(this.#channels);
  }

  /** @throws RedisPositionError for a position of another kind of source, such as streams */
  checkPosition(_part: string, position: Json): void {
    if (position !== null) readLedgerState(position);
  }

  /**
   * Resolves when Redis has confirmed the subscription: what is published from now on arrives.
   *
   * @throws RedisError when there is no usable Redis within `connectTimeoutMs`, or `resume` is no position of this
   *   source; the reason of the context's signal
   */
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<PubSubPartition> {
    if (!this.#channels.includes(part)) {
      return Promise.reject(
        new RedisOptionsError(`There is no channel "${part}" here, but ${this.#channels.join(", ")}.`),
      );
    }
    return PubSubPartition.open(this.#connection, part, this.#settings, resume, context);
  }
}
