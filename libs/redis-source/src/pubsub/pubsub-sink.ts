import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { partitionOf } from "../partitions/partition-of.ts";
import { ChannelPublisher } from "./channel-publisher.ts";
import type { PublishCounts } from "./channel-publisher.ts";
import { PublishLane } from "./publish-lane.ts";
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
 * A write resolves when Redis has answered for every message that it completed. When the connection is lost, the
 * sink waits for the next one and goes on with the first unanswered message: nothing is left out, and what was taken
 * just before the loss may be published twice. Frames keep their numbers, so that it is recognised.
 */
export class RedisPubSubSink implements Sink<PublishRow> {
  readonly #connection: RedisConnectionOptions;
  readonly #settings: PubSubSinkSettings;
  readonly #open = new Set<PublishLane>();
  #built = 0;
  #published = 0;
  #bytes = 0;
  #unheard = 0;
  #resent = 0;
  #pastDisconnects = 0;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisPubSubSinkOptions) {
    resolveTarget(connection);
    this.#connection = connection;
    this.#settings = resolveSinkOptions(options);
  }

  /** @throws RedisError when there is no usable Redis within `connectTimeoutMs`; the reason of the context's signal */
  async buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SinkPartition<PublishRow>> {
    const lanes = await this.#openLanes(context);
    return {
      writeBatch: (rows) => this.#write(lanes, rows),
      flush: async () => {
        await Promise.all(lanes.map((lane) => lane.flush()));
      },
      close: () => this.#close(lanes),
    };
  }

  /** Counts so far; complete when the run is over. */
  stats(): PublishStats {
    let disconnects = this.#pastDisconnects;
    for (const lane of this.#open) disconnects += lane.disconnects;
    return {
      published: this.#published,
      bytes: this.#bytes,
      unheard: this.#unheard,
      resent: this.#resent,
      disconnects,
    };
  }

  async #openLanes(context: PartContext): Promise<readonly PublishLane[]> {
    const { channels, transport, maxInFlightBytes, framing } = this.#settings;
    // Two parts number their rows apart, so they are two producers.
    const part = this.#built;
    this.#built += 1;
    const numbered = framing && { ...framing, producer: `${framing.producer}.${part}` };
    const lanes: PublishLane[] = [];
    try {
      for (const channel of channels) {
        const target = { channel, transport, maxInFlightBytes };
        const publisher = await ChannelPublisher.open(this.#connection, target, context, (counts) => {
          this.#count(counts);
        });
        const lane = PublishLane.open(publisher, numbered, context, channel);
        lanes.push(lane);
        this.#open.add(lane);
      }
    } catch (error) {
      await this.#close(lanes);
      throw error;
    }
    return lanes;
  }

  async #write(lanes: readonly PublishLane[], rows: readonly PublishRow[]): Promise<void> {
    const { keyOf } = this.#settings;
    const [only, ...others] = lanes;
    if (only === undefined) return;
    if (others.length === 0 || keyOf === undefined) {
      await only.write(rows);
      return;
    }
    const shares: PublishRow[][] = lanes.map(() => []);
    for (const row of rows) shares[partitionOf(keyOf(row), lanes.length)]?.push(row);
    await Promise.all(lanes.map((lane, index) => lane.write(shares[index] ?? [])));
  }

  async #close(lanes: readonly PublishLane[]): Promise<void> {
    await Promise.all(lanes.map((lane) => lane.close()));
    for (const lane of lanes) {
      if (this.#open.delete(lane)) this.#pastDisconnects += lane.disconnects;
    }
  }

  #count({ published, bytes, unheard, resent }: PublishCounts): void {
    this.#published += published;
    this.#bytes += bytes;
    this.#unheard += unheard;
    this.#resent += resent;
    this.#settings.onProgress?.(this.stats());
  }
}
