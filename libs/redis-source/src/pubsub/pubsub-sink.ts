import type { PartContext } from "@millrace/dataflow";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { PartitionedSink } from "../sink/partitioned-sink.ts";
import { resolveSinkOptions } from "../sink/sink-options.ts";
import type { PartitionedSinkOptions } from "../sink/sink-options.ts";
import type { Transport } from "../sink/transport.ts";
import { ChannelTransport } from "./channel-transport.ts";
import type { PubSubTransport } from "./pubsub-source-options.ts";

/** What a sink has published, all partitions together. */
export interface PublishStats {
  /** Rows that Redis has accepted. */
  readonly published: number;
  /** Bytes of the messages that carried them. */
  readonly bytes: number;
  /** Rows among them that no subscriber got: PUBLISH answered 0. On a cluster it counts one node's subscribers only. */
  readonly unheard: number;
  /** Rows sent again because the connection was lost before their answer; in frames, a subscriber drops the repetition. */
  readonly resent: number;
  /** Rows that were given to the sink and that Redis has not accepted: they wait, or were not sent before the close. */
  readonly unsent: number;
  /** How often a connection was lost. */
  readonly disconnects: number;
}

/** Options of {@link RedisPubSubSink}. */
export interface RedisPubSubSinkOptions extends PartitionedSinkOptions {
  /** The channel of all rows. */
  readonly channel: string;
  /** @default "pubsub" */
  readonly transport?: PubSubTransport;
  /** Called with the counts so far whenever Redis has answered, many rows at a time. It must not throw. */
  readonly onProgress?: (stats: PublishStats) => void;
}

/** Publishes rows on a Pub/Sub channel or its partitions. */
export class RedisPubSubSink extends PartitionedSink {
  readonly #options: RedisPubSubSinkOptions;
  readonly #numbered: boolean;

  /** @throws RedisOptionsError */
  constructor(connection: RedisConnectionOptions, options: RedisPubSubSinkOptions) {
    const settings = resolveSinkOptions(options.channel, options);
    super(connection, options.transport ?? "pubsub", settings);
    this.#options = options;
    this.#numbered = settings.framing !== undefined;
  }

  /** Counts so far; complete when the run is over. */
  stats(): PublishStats {
    const { published, bytes, unheard, resent, unsent, disconnects } = this.figures();
    return { published, bytes, unheard, resent, unsent, disconnects };
  }

  protected override transportTo(channel: string, address: string, context: PartContext): Transport {
    const { transport = "pubsub" } = this.#options;
    return new ChannelTransport({ channel, transport, numbered: this.#numbered, address }, context);
  }

  protected override progressed(): void {
    this.#options.onProgress?.(this.stats());
  }
}
