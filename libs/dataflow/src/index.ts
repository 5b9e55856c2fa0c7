// For users whose compiler includes no types on its own: some signatures have types of Node.
/// <reference types="node" preserve="true" />
export { LeaseAssignment, DEFAULT_LEASE_OPTIONS } from "./leases/lease-assignment.ts";
export { CallbackSink } from "./sinks/callback-sink.ts";
export { Dataflow, isDataflow } from "./dataflow.ts";
export {
  FencedError,
  DrainTimeoutError,
  FlowError,
  MillraceError,
  SinkError,
  SourceError,
  StateError,
  StateFormatError,
  StateMismatchError,
  StateTooLargeError,
  KeyStateTooLargeError,
  StepError,
  hasCode,
  messageOf,
} from "./errors.ts";
export { FileStore } from "./stores/file-store.ts";
export { IterableSource } from "./sources/iterable-source.ts";
export { JsonlFileSink } from "./sinks/jsonl-file-sink.ts";
export { JsonlFileSource } from "./sources/jsonl-file-source.ts";
export { MemoryStore } from "./stores/memory-store.ts";
export { requireRoom } from "./stores/commit-checks.ts";
export { ReadableSource, StdinSource } from "./sources/readable-source.ts";
export { splitLines, textOf } from "./sources/split-lines.ts";
export { iterate } from "./runtime/iterate.ts";
export { mapRows } from "./sinks/map-rows.ts";
export { StderrSink, StdoutSink, WritableSink } from "./sinks/writable-sink.ts";
export { Stream } from "./stream.ts";
export { WindowedStream } from "./windowed-stream.ts";
export { DEFAULT_LOGGER, SILENT_LOGGER } from "./contracts/logger.ts";
export { LogLines, STDERR_LINES } from "./log-lines.ts";
export { SYSTEM_TIME } from "./contracts/time-provider.ts";
export { describe, toMermaid } from "./describe.ts";
export { withDefaults } from "./with-defaults.ts";
export { thrownAt } from "./errors.ts";
export { pause } from "./runtime/waiting.ts";
export { run, start } from "./runtime/run.ts";
export { BEGINNING } from "./operators/step-beginning.ts";
export { STATE_FORMAT, compareState, requireContinuable } from "./runtime/compare-state.ts";
export { previewStart } from "./runtime/preview-start.ts";
export { keptWindows } from "./runtime/state-difference.ts";
export { reconcile } from "./runtime/reconcile.ts";

export type { AssignedTasks, Assignment, AssignmentContext, Membership } from "./contracts/assignment.ts";
export type { WorkerHeartbeat, LeaseTable, LeaseTableContext, WorkerShare } from "./leases/lease-table.ts";
export type { LeaseOptions } from "./leases/lease-assignment.ts";
export type { Batch, Emitter, Operator, OperatorContext, Wake } from "./contracts/operator.ts";
export type {
  Commit,
  CommitOutcome,
  Store,
  StoreOutput,
  TaskId,
  TaskHead,
  TaskState,
  TaskStore,
} from "./contracts/store.ts";
export type { DataflowOptions } from "./dataflow.ts";
export type { DeadLetter, DecodeFailure, Decoded, Decoder, RawLine } from "./contracts/decoder.ts";
export type {
  DividedPosition,
  Drained,
  PartContext,
  Partitioning,
  PositionCodec,
  Source,
  SourceBatch,
  SourcePartition,
  SourceStats,
  StartContext,
} from "./contracts/source.ts";
export type { ErrorPolicy, StepOptions } from "./operators/error-policy.ts";
export type {
  CommitFigures,
  FlowStats,
  Hold,
  OpenWindow,
  StepStats,
  TaskPhase,
  TaskStats,
} from "./runtime/stats.ts";
export type {
  BatchDone,
  CommitDone,
  ObservedRun,
  ResultsEmitted,
  RowsWritten,
  RunObserver,
  Timed,
} from "./contracts/observer.ts";
export type { StateComparison, StepComparison } from "./runtime/compare-state.ts";
export type { StartPreview } from "./runtime/preview-start.ts";
export type { StepKind } from "./graph.ts";
export type { FlowDescription, StepDescription } from "./describe.ts";
export type { IterableSourceOptions } from "./sources/iterable-source.ts";
/** For sources, which depend on nothing below. */
export { timeOf } from "@millrace/windowing";
export type { Completeness, Json } from "@millrace/windowing";
export type { DeduplicateOptions } from "./operators/deduplicate-operator.ts";
export type { CollectOptions } from "./operators/collect-logic.ts";
export type { KeyContext, KeyedLogic, KeyedStep, StatefulOptions } from "./operators/stateful-operator.ts";
export type { KeyedStateOptions, StoredKey } from "./operators/keyed-state.ts";
export type {
  Branches,
  CustomStateOptions,
  Key,
  KeyByOptions,
  KeyOf,
  OperatorFactory,
  WithKey,
} from "./stream.ts";
export type { KeepsOptions, StringField } from "./division.ts";
export { TextStream } from "./sources/file-text.ts";
export type { LineOptions } from "./sources/line-bounds.ts";
export type { Logger } from "./contracts/logger.ts";
export type { AsyncFunction, MapAsyncOptions } from "./operators/map-async-operator.ts";
export type { PartResult } from "./operators/window-operator.ts";
export type { Reconciliation } from "./runtime/reconcile.ts";
export type { RunHandle } from "./runtime/run.ts";
export type { RunOptions, IdleFrom } from "./runtime/options.ts";
export type { Sink, SinkPartition } from "./contracts/sink.ts";
export type { ClockStep, TimeProvider } from "./contracts/time-provider.ts";
export type { WindowOptions, WindowResults } from "./windowed-stream.ts";
