/** Redis as source, sink and store of flows. */

// Pub/Sub and Streams
export {
  RedisPubSubSink,
  RedisPubSubSource,
  RedisStreamSink,
  RedisStreamSource,
  decodeLine,
  waitForSubscriber,
} from "@millrace/redis-source";
export type {
  EntryForm,
  FramingOptions,
  LedgerOptions,
  LedgerStats,
  LineWithOrigin,
  Names,
  NumberRange,
  Origin,
  OverflowPolicy,
  PartitionedSink,
  PartitionedSinkOptions,
  PubSubPartition,
  PubSubStats,
  PubSubTransport,
  PublishRow,
  PublishStats,
  QueueSettings,
  RedisPubSubSinkOptions,
  RedisPubSubSourceOptions,
  RedisStreamSinkOptions,
  RedisStreamSourceOptions,
  StreamFullPolicy,
  StreamPartition,
  StreamSinkStats,
  StreamStart,
  StreamStats,
  Suspicion,
  WaitForSubscriberOptions,
} from "@millrace/redis-source";

// State and results
export { RedisStore, RedisStreamResultSink, inspectTask, resetTask } from "@millrace/redis-store";
export type {
  FailPoint,
  NoticeCommand,
  RedisHashResultSink,
  RedisHashResultSinkOptions,
  RedisStoreOptions,
  RedisStreamResultSinkOptions,
  ResetReport,
  ResetTaskOptions,
  StepInspection,
  TaskAccessOptions,
  TaskInspection,
  TaskMeta,
} from "@millrace/redis-store";

// Workers that share tasks
export { RedisAssignment, inspectWorkers } from "@millrace/redis-store";
export type { RedisAssignmentOptions, WorkerInspection } from "@millrace/redis-store";

// Connections, also for custom sources
export { RetryingClient, StartClock, connectRedis } from "@millrace/redis-source";
export type {
  Attempt,
  BackOff,
  ConnectSettings,
  LazyConnection,
  RedisConnection,
  RedisConnectionOptions,
  RetryLimit,
  RetryOptions,
  RetrySettings,
  WaitLog,
} from "@millrace/redis-source";

// Errors
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
} from "@millrace/redis-source";
export {
  CommitTooLargeError,
  KeyOccupiedError,
  SharedPartsError,
  StateIncompleteError,
  StoreUnavailableError,
} from "@millrace/redis-store";
