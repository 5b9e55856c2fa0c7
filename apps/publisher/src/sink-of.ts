import type { RawLine, Sink } from "@millrace/dataflow";
import { RedisPubSubSink, RedisStreamSink } from "@millrace/redis-source";
import type { PublisherConfig } from "./config.ts";
import { keyOf } from "./key-of.ts";

/** What a sink has done so far. */
export interface SinkFigures {
  /** Events that Redis has taken. */
  readonly published: number;
  /** Bytes of the messages that carried them. */
  readonly bytes: number;
  /** Events sent again after a lost connection, since they had no answer; not those that Redis refused. */
  readonly resent: number;
  /** Events that Redis has not taken. */
  readonly unsent: number;
  /** How often a connection was lost. */
  readonly disconnects: number;
  /** Pub/Sub: events that nobody got. */
  readonly unheard?: number;
  /** Streams: how often a full stream made events wait. */
  readonly waits?: number;
}

/** Where events go, and how that is going. */
export interface Output {
  readonly sink: Sink<RawLine>;
  readonly stats: () => SinkFigures;
}

/** The output that the configuration names. */
export function outputOf({ redis, transport: how, delivery }: PublisherConfig): Output {
  const { transport, channel, partitions, partitionBy } = how;
  const { framing, maxStreamLength, whenFull, relayout } = delivery;
  const common = {
    partitions,
    keyOf: keyOf(partitionBy),
    partitionedBy: partitionBy,
    relayout,
    frames: framing !== undefined,
    ...framing,
  };
  const sink =
    transport === "stream"
      ? new RedisStreamSink(redis, {
          ...common,
          stream: channel,
          whenFull,
          ...(maxStreamLength === undefined ? {} : { maxStreamLength }),
        })
      : new RedisPubSubSink(redis, { ...common, channel, transport });
  return { sink, stats: () => sink.stats() };
}
