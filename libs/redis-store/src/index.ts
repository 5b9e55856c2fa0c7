// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export {
  CommitTooLargeError,
  KeyOccupiedError,
  SharedPartsError,
  StateIncompleteError,
  StoreUnavailableError,
} from "./errors.ts";
export { DEFAULT_REDIS_STORE_OPTIONS } from "./redis-store-options.ts";
export {
  DEFAULT_STREAM_RESULT_SINK_OPTIONS,
  RedisStreamResultSink,
} from "./sinks/redis-stream-result-sink.ts";
export { DEFAULT_TASK_ACCESS_OPTIONS } from "./admin/with-task.ts";
export { RedisAssignment } from "./assignment/redis-assignment.ts";
export { RedisStore } from "./redis-store.ts";
export { TaskKeys } from "./task-keys.ts";
export { inspectTask } from "./admin/inspect-task.ts";
export { inspectWorkers } from "./admin/inspect-workers.ts";
export { resetTask } from "./admin/reset-task.ts";

export type { RedisAssignmentOptions } from "./assignment/redis-assignment.ts";
export type { WorkerInspection } from "./admin/inspect-workers.ts";
export type { FailPoint, RedisStoreOptions } from "./redis-store-options.ts";
export type { NoticeCommand } from "./sinks/redis-output.ts";
export type { RedisHashResultSink, RedisHashResultSinkOptions } from "./sinks/redis-hash-result-sink.ts";
export type { RedisStreamResultSinkOptions } from "./sinks/redis-stream-result-sink.ts";
export type { ResetReport, ResetTaskOptions } from "./admin/reset-task.ts";
export type { StepInspection, TaskInspection } from "./admin/inspect-task.ts";
export type { TaskAccessOptions } from "./admin/with-task.ts";
export type { TaskMeta } from "./task-meta.ts";
