import type { Json, PartContext, Sink, SinkPartition, StartContext } from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { ChannelPublisher } from "./channel-publisher.ts";
import type { PublishCounts } from "./channel-publisher.ts";
import { PublishLane } from "./publish-lane.ts";
import { PublishParts } from "./publish-part.ts";
import { resolveSinkOptions } from "./pubsub-sink-options.ts";
import type {
  PublishRow,
  PublishStats,
  PubSubSinkSettings,
  RedisPubSubSinkOptions,
} from "./pubsub-sink-options.ts";

/**
 * Publishes rows on a Pub/Sub channel or its partitions, in order: each as a message, or packed into frames.
 *
 * A write resolves when Redis has answered for every message that it completed, a flush when it has answered for every
 * row. When the connection is lost, the sink waits for the next one and sends again what has no answer: nothing is left
 * out, and what was taken just before the loss may be published twice. Frames keep their numbers, so that it is
 * recognised. Write and flush reject when Redis refuses for good, and when the signal of the context is aborted.
 */
export class RedisPubSubSink implements Sink<PublishRow> {
  readonly #connection: RedisConnectionOptions;
  readonly #settings: PubSubSinkSettings;
  readonly #parts: PublishParts;
  #counts: PublishCounts = { published: 0, bytes: 0, unheard: 0, resent: 0 };

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisPubSubSinkOptions) {
    resolveTarget(connection);
    this.#connection = connection;
    this.#settings = resolveSinkOptions(options);
    this.#parts = new PublishParts(connection, this.#settings);
  }

  /**
   * Looks whether there is a Redis and which partition layout is recorded there. To open the sink would say more: a
   * publisher that begins, and ends again, is heard by readers.
   *
   * @throws PartitionLayoutError when a publisher has recorded another partition layout; RedisError when there is no
   *   usable Redis within `connectTimeoutMs`; the reason of the context's signal
   */
  checkResume(_part: string, _resume: Json | undefined, context: StartContext): Promise<void> {
    return this.#parts.check(context);
  }

  /**
   * @throws PartitionLayoutError when a publisher has recorded another partition layout; RedisError when there is no
   *   usable Redis within `connectTimeoutMs`; the reason of the context's signal
   */
  buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SinkPartition<PublishRow>> {
    const { transport, maxInFlightBytes } = this.#settings;
    return this.#parts.build(context, async (channel, framing) => {
      const target = { channel, transport, maxInFlightBytes, numbered: framing !== undefined };
      const publisher = await ChannelPublisher.open(this.#connection, target, context, (counts) => {
        this.#count(counts);
      });
      return PublishLane.open(publisher, framing, context, channel);
    });
  }

  /** Counts so far; complete when the run is over. */
  stats(): PublishStats {
    const { disconnects, unsent } = this.#parts.stats();
    return { ...this.#counts, unsent, disconnects };
  }

  #count({ published, bytes, unheard, resent }: PublishCounts): void {
    const before = this.#counts;
    this.#counts = {
      published: before.published + published,
      bytes: before.bytes + bytes,
      unheard: before.unheard + unheard,
      resent: before.resent + resent,
    };
    this.#settings.onProgress?.(this.stats());
  }
}
