export { DEFAULT_PUBSUB_SOURCE_OPTIONS } from "./pubsub/pubsub-source-options.ts";
export { LINE_CODEC } from "./pubsub/message-codec.ts";
export {
  PartitionLayoutError,
  ProducerNameError,
  QueueOverflowError,
  RedisAuthError,
  RedisClosedError,
  RedisError,
  RedisGroupError,
  RedisOptionsError,
  RedisPositionError,
  RedisProtocolError,
  RedisRefusedError,
  RedisReplicaError,
  RedisTlsError,
  RedisTooOldError,
  RedisUnreachableError,
  StreamFullError,
} from "./errors.ts";
export { DEFAULT_LEDGER_OPTIONS, ProducerLedger } from "./delivery/producer-ledger.ts";
export { isProducerName } from "./delivery/framing-options.ts";
export { hashTag } from "./partitions/hash-tag.ts";
export { partitionNames } from "./partitions/partition-names.ts";
export { partitionOf } from "./partitions/partition-of.ts";
export { RedisPubSubSink } from "./pubsub/pubsub-sink.ts";
export { RedisPubSubSource } from "./pubsub/pubsub-source.ts";
export { DEFAULT_STREAM_SOURCE_OPTIONS } from "./stream/stream-source-options.ts";
export { SHORTEST_WAITING_LENGTH } from "./stream/stream-sink-options.ts";
export { RedisStreamSink } from "./stream/stream-sink.ts";
export { RedisStreamSource } from "./stream/stream-source.ts";
export { connectRedis } from "./connection/redis-connection.ts";
export { KeyConnections } from "./connection/key-connections.ts";
export { RetryingClient } from "./connection/retrying-client.ts";
export { explainFailure, replyKind } from "./connection/explain-failure.ts";
export { parseRedisUrl } from "./connection/redis-url.ts";
export { StartClock } from "./connection/start-clock.ts";
export { describeRedis } from "./connection/connection-options.ts";
export { waitForSubscriber } from "./pubsub/wait-for-subscriber.ts";

export type { OpenConnection } from "./connection/key-connections.ts";
export type {
  Attempt,
  LazyConnection,
  RetryLimit,
  RetryOptions,
  RetrySettings,
  WaitLog,
} from "./connection/retrying-client.ts";
export type { ReplyKind } from "./connection/explain-failure.ts";
export type { ConnectSettings, RedisConnection } from "./connection/redis-connection.ts";
export type { DecodedMessage, FrameCodec, FrameHeader, FrameToEncode } from "./delivery/frame-codec.ts";
export type { FrameVerdict, LedgerOptions, LedgerStats, Suspicion } from "./delivery/producer-ledger.ts";
export type { ProducerRecord } from "./delivery/producer-records.ts";
export type { NumberRange } from "./delivery/missing-numbers.ts";
export type { MessageCodec } from "./pubsub/message-codec.ts";
export type {
  OverflowPolicy,
  PubSubTransport,
  QueueSettings,
  RedisPubSubSourceOptions,
} from "./pubsub/pubsub-source-options.ts";
export type { FramingOptions } from "./delivery/framing-options.ts";
export type { PublishRow, PublishStats, RedisPubSubSinkOptions } from "./pubsub/pubsub-sink-options.ts";
export type { PubSubPartition, PubSubStats } from "./pubsub/pubsub-partition.ts";
export type { RedisStreamSourceOptions, StreamStart } from "./stream/stream-source-options.ts";
export type {
  RedisStreamSinkOptions,
  StreamFullPolicy,
  StreamSinkStats,
} from "./stream/stream-sink-options.ts";
export type { StreamPartition, StreamStats } from "./stream/stream-partition.ts";
export type { HostAndPort, RedisUrl } from "./connection/redis-url.ts";
export type { BackOff } from "./connection/back-off.ts";
export type { RedisConnectionOptions } from "./connection/connection-options.ts";
export type { WaitForSubscriberOptions } from "./pubsub/wait-for-subscriber.ts";
