export { DEFAULT_PUBSUB_SOURCE_OPTIONS } from "./pubsub/pubsub-source-options.ts";
export { LINE_CODEC } from "./pubsub/message-codec.ts";
export {
  QueueOverflowError,
  RedisAuthError,
  RedisClosedError,
  RedisError,
  RedisOptionsError,
  RedisProtocolError,
  RedisRefusedError,
  RedisTlsError,
  RedisTooOldError,
  RedisUnreachableError,
} from "./errors.ts";
export { RedisPubSubSink } from "./pubsub/pubsub-sink.ts";
export { RedisPubSubSource } from "./pubsub/pubsub-source.ts";
export { connectRedis } from "./connection/redis-connection.ts";
export { describeRedis } from "./connection/connection-options.ts";
export { waitForSubscriber } from "./pubsub/wait-for-subscriber.ts";

export type { ConnectSettings, RedisConnection } from "./connection/redis-connection.ts";
export type { MessageCodec } from "./pubsub/message-codec.ts";
export type {
  OverflowPolicy,
  QueueSettings,
  RedisPubSubSourceOptions,
} from "./pubsub/pubsub-source-options.ts";
export type { PublishRow, PublishStats, RedisPubSubSinkOptions } from "./pubsub/pubsub-sink.ts";
export type { PubSubPartition, PubSubStats } from "./pubsub/pubsub-partition.ts";
export type { RedisConnectionOptions } from "./connection/connection-options.ts";
export type { WaitForSubscriberOptions } from "./pubsub/wait-for-subscriber.ts";
