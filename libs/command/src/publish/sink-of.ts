import type { RawLine, Sink } from "@millrace/dataflow";
import { RedisPubSubSink, RedisStreamSink } from "@millrace/redis-source";
import { loadKafka } from "../kafka.ts";
import type { PublishConfig } from "./config.ts";
import { keyOf } from "./key-of.ts";

/** What a sink has sent so far. */
export interface SinkFigures {
  /** Events that Redis or Kafka accepted. */
  readonly published: number;
  /** Bytes of the messages that carried them. */
  readonly bytes: number;
  /** Events sent again after a lost connection, since they had no reply; not those that Redis refused. */
  readonly resent: number;
  /** Events that it did not accept. */
  readonly unsent: number;
  /** How often a connection was lost. */
  readonly disconnects: number;
  /** Pub/Sub: events published while nothing was subscribed. */
  readonly unheard?: number;
  /** Streams: how often events waited because a stream was full. */
  readonly waits?: number;
}

/** The sink, and its counts. */
export interface Output {
  readonly sink: Sink<RawLine>;
  readonly stats: () => SinkFigures;
}

/** Builds the sink that the configuration asks for. */
export async function outputOf({
  redis = {},
  kafka,
  transport: how,
  streamField,
  delivery,
}: PublishConfig): Promise<Output> {
  const { transport, channel, partitions, partitionBy } = how;
  if (kafka !== undefined) {
    const key = partitionBy === undefined ? {} : { keyOf: keyOf(partitionBy) };
    const { KafkaSink } = await loadKafka();
    const topic = new KafkaSink<RawLine>(kafka, { topic: channel, ...key });
    return { sink: topic, stats: () => topic.stats() };
  }
  const { framing, maxStreamLength, whenFull, relayout } = delivery;
  const common = {
    partitions,
    ...(partitionBy === undefined ? {} : { keyOf: keyOf(partitionBy), partitionedBy: partitionBy }),
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
          ...(streamField === undefined ? {} : { field: streamField }),
          ...(maxStreamLength === undefined ? {} : { maxStreamLength }),
        })
      : new RedisPubSubSink(redis, {
          ...common,
          channel,
          transport: transport === "sharded" ? transport : "pubsub",
        });
  return { sink, stats: () => sink.stats() };
}
