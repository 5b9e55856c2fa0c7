// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export { DEFAULT_PUBSUB_SOURCE_OPTIONS, patternPartition } from "./pubsub/pubsub-source-options.ts";
export {
  FrameEncodeError,
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
export { DEFAULT_LEDGER_OPTIONS, ProducerLedger } from "./wire/producer-ledger.ts";
export { EventColumns } from "./wire/event-columns.ts";
export { SuspicionLog } from "./wire/suspicion-log.ts";
export { divideLedger, uniteLedger } from "./wire/ledger-state.ts";
export { FRAME_MARKER, FRAME_VERSION, MESSAGE_LIMITS } from "./wire/frame.ts";
export { decodeLine, sourceFrom } from "./wire/line-with-origin.ts";
export { decodeFrame } from "./wire/decode-frame.ts";
export { encodeFrame } from "./wire/encode-frame.ts";
export { isProducerName } from "./sink/framing-options.ts";
export { hashTag, partitionNames, partitionsOf } from "./partitions/partition-names.ts";
export { partitionOf } from "./partitions/partition-layout.ts";
export { RedisPubSubSink } from "./pubsub/pubsub-sink.ts";
export { RedisPubSubSource } from "./pubsub/pubsub-source.ts";
export { DEFAULT_STREAM_SOURCE_OPTIONS } from "./stream/stream-source-options.ts";
export { RedisStreamSink } from "./stream/stream-sink.ts";
export { RedisStreamSource } from "./stream/stream-source.ts";
export { SHORTEST_WAITING_LENGTH } from "./stream/waiting-length.ts";
export { streamLag } from "./stream/stream-lag.ts";
export { streamWholeFrom } from "./stream/stream-beginning.ts";
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
export type { Frame, FrameFailure, FrameFailureCode, FrameHeader } from "./wire/frame.ts";
export type { FrameToEncode } from "./wire/encode-frame.ts";
export type { FrameVerdict, LedgerOptions, LedgerStats, Suspicion } from "./wire/producer-ledger.ts";
export type { ProducerRecord } from "./wire/producer-records.ts";
export type { NumberRange } from "./wire/loss.ts";
export type {
  OverflowPolicy,
  PubSubTransport,
  QueueSettings,
  RedisPubSubSourceOptions,
} from "./pubsub/pubsub-source-options.ts";
export type { LineWithOrigin, Origin } from "./wire/line-with-origin.ts";
export type { Names } from "./partitions/partition-names.ts";
export type { EntryForm } from "./stream/entry-decoder.ts";
export type { FramingOptions } from "./sink/framing-options.ts";
export type { PartitionedSink } from "./sink/partitioned-sink.ts";
export type { PartitionedSinkOptions } from "./sink/sink-options.ts";
export type { PublishRow } from "./sink/transport.ts";
export type { PublishStats, RedisPubSubSinkOptions } from "./pubsub/pubsub-sink.ts";
export type { PubSubPartition, PubSubStats } from "./pubsub/pubsub-partition.ts";
export type { RedisStreamSourceOptions, StreamStart } from "./stream/stream-source-options.ts";
export type { RedisStreamSinkOptions, StreamSinkStats } from "./stream/stream-sink.ts";
export type { StreamFullPolicy } from "./stream/stream-room.ts";
export type { StreamPartition, StreamStats } from "./stream/stream-partition.ts";
export type { HostAndPort, RedisUrl } from "./connection/redis-url.ts";
export type { BackOff } from "./connection/back-off.ts";
export type { RedisConnectionOptions } from "./connection/connection-options.ts";
export type { WaitForSubscriberOptions } from "./pubsub/wait-for-subscriber.ts";
