// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export {
  KafkaAuthError,
  KafkaClientMissingError,
  KafkaClosedError,
  KafkaError,
  KafkaGroupError,
  KafkaNotReadyError,
  KafkaOptionsError,
  KafkaPositionError,
  KafkaRecordsError,
  KafkaRefusedError,
  KafkaTlsError,
  KafkaTopicError,
  KafkaUnreachableError,
} from "./errors.ts";
export { DEFAULT_KAFKA_ASSIGNMENT_OPTIONS, KafkaAssignment } from "./assignment/kafka-assignment.ts";
export { describeKafka } from "./connection/connection-options.ts";
export { DEFAULT_KAFKA_SOURCE_OPTIONS } from "./source/source-options.ts";
export { KafkaSource, decodeRecordLine } from "./source/kafka-source.ts";

export { inspectTopic } from "./inspect-topic.ts";
export { KafkaResultSink } from "./sink/kafka-result-sink.ts";
export { KafkaSink } from "./sink/kafka-sink.ts";
export { partitionOfKey } from "./sink/murmur2.ts";

export type { KafkaAssignmentOptions } from "./assignment/kafka-assignment.ts";
export type {
  KafkaConnectionOptions,
  KafkaPassword,
  KafkaTls,
  KafkaToken,
} from "./connection/connection-options.ts";
export type {
  InspectTopicOptions,
  KafkaMemberInspection,
  TopicInspection,
  TopicToInspect,
} from "./inspect-topic.ts";
export type { KafkaPartition, KafkaStats } from "./source/kafka-partition.ts";
export type { KafkaSourceOptions, KafkaSourceSettings, KafkaStart } from "./source/source-options.ts";
export type { RecordLine, RecordOrigin } from "./source/kafka-source.ts";
export type { KafkaResultSinkOptions } from "./sink/kafka-result-sink.ts";
export type { KafkaSinkOptions, KafkaSinkStats } from "./sink/kafka-sink.ts";
