/**
 * What a flow needs, from the packages that have it. Parts for building other libraries, such as the window engine on its
 * own, are only in the scoped packages.
 */

// Flows
export {
  Dataflow,
  Stream,
  WindowedStream,
  describe,
  isDataflow,
  iterate,
  reconcile,
  run,
  start,
  toMermaid,
} from "@millrace/dataflow";
export type {
  AsyncFunction,
  BatchDone,
  Branches,
  CollectOptions,
  CommitDone,
  CommitFigures,
  DataflowOptions,
  DeduplicateOptions,
  ErrorPolicy,
  FlowDescription,
  FlowStats,
  Hold,
  IdleFrom,
  KeepsOptions,
  Key,
  KeyByOptions,
  KeyContext,
  KeyOf,
  KeyedLogic,
  KeyedStep,
  MapAsyncOptions,
  ObservedRun,
  OpenWindow,
  PartResult,
  Reconciliation,
  ResultsEmitted,
  RowsWritten,
  RunHandle,
  RunObserver,
  RunOptions,
  StatefulOptions,
  StepDescription,
  StepKind,
  StepOptions,
  StepStats,
  StringField,
  TaskPhase,
  TaskStats,
  Timed,
  WindowOptions,
  WindowResults,
  WithKey,
} from "@millrace/dataflow";

// Flow modules, which the command `millrace` runs
export { provenance } from "@millrace/command/flow";
export type {
  FlowOf,
  FlowOption,
  FlowOptionValues,
  FlowOptions,
  FlowParts,
  Provenance,
} from "@millrace/command/flow";

// Windows and clocks
export {
  eventTime,
  formatDuration,
  messageTime,
  parseDuration,
  session,
  sliding,
  systemTime,
  timeOf,
  toMs,
  tumbling,
  windowTime,
} from "@millrace/windowing";
export type {
  BuiltInWindower,
  CalendarLength,
  CalendarOptions,
  CalendarWindower,
  Clock,
  Completeness,
  CustomWindow,
  CustomWindower,
  Duration,
  EventClock,
  EventTimeOptions,
  FixedWindower,
  HeldWindow,
  LateEvent,
  OrdinalWindow,
  RefusalReason,
  RefusedEvent,
  SessionWindower,
  SkippedEvent,
  SlidingOptions,
  SystemClock,
  SystemTimeOptions,
  TimeModel,
  Timestamp,
  TumblingOptions,
  WaitOptions,
  Window,
  WindowCause,
  WindowId,
  WindowResult,
  Windower,
} from "@millrace/windowing";

// Folds
export {
  aggregate,
  approxDistinct,
  collectList,
  collectMap,
  collectSet,
  count,
  distinct,
  foldOf,
  join,
  jsonCodec,
  mapCodec,
  max,
  mean,
  min,
  quantile,
  reduce,
  sum,
  topK,
} from "@millrace/windowing";
export type {
  AggregateEvent,
  AggregateState,
  Aggregated,
  Aggregates,
  ApproxDistinctOptions,
  ClosingFold,
  CodecOption,
  CollectBounds,
  DistinctOptions,
  Fold,
  FoldGrowth,
  FoldMarks,
  FoldPart,
  FoldParts,
  FoldSpec,
  GrowingMap,
  GrowingSet,
  JoinEvent,
  JoinOptions,
  JoinSides,
  JoinState,
  Joined,
  Json,
  JsonCodec,
  JsonField,
  JsonLike,
  ListState,
  MeanState,
  Opaque,
  OpaqueBounds,
  PartChanges,
  QuantileOptions,
  QuantileSketch,
  Quantiles,
  Ranked,
  Registers,
  Room,
  Scalar,
  SplitAdd,
  Tally,
} from "@millrace/windowing";

// Sources, sinks and stores
export {
  CallbackSink,
  FileStore,
  IterableSource,
  JsonlFileSink,
  JsonlFileSource,
  MemoryStore,
  ReadableSource,
  StderrSink,
  StdinSource,
  StdoutSink,
  WritableSink,
  mapRows,
} from "@millrace/dataflow";
export type {
  Commit,
  CommitOutcome,
  DeadLetter,
  DecodeFailure,
  Decoded,
  Decoder,
  DividedPosition,
  Drained,
  IterableSourceOptions,
  LineOptions,
  PartContext,
  Partitioning,
  PositionCodec,
  RawLine,
  Sink,
  SinkPartition,
  Source,
  SourceBatch,
  SourcePartition,
  SourceStats,
  StartContext,
  Store,
  StoreOutput,
  TaskHead,
  TaskId,
  TaskState,
  TaskStore,
} from "@millrace/dataflow";

// Workers that share tasks
export { LeaseAssignment } from "@millrace/dataflow";
export type {
  AssignedTasks,
  Assignment,
  AssignmentContext,
  LeaseOptions,
  LeaseTable,
  LeaseTableContext,
  Membership,
  WorkerHeartbeat,
  WorkerShare,
} from "@millrace/dataflow";

// Custom operators
export type { Batch, Emitter, Operator, OperatorContext, OperatorFactory, Wake } from "@millrace/dataflow";
export type { StateChange, StateField, StateGroup } from "@millrace/windowing";

// Logs and time
export { DEFAULT_LOGGER, SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
export type { ClockStep, Logger, TimeProvider } from "@millrace/dataflow";

// Lines of JSON as events
export { AsyncSchemaError, InvalidOptionError, json } from "@millrace/json";
export type {
  DuplicateNames,
  EventCodec,
  JsonOptions,
  LineDecoder,
  TrustedJsonOptions,
  UnknownFields,
} from "@millrace/json";

// Errors
export {
  DrainTimeoutError,
  FencedError,
  FlowError,
  KeyStateTooLargeError,
  MillraceError,
  SinkError,
  SourceError,
  StateError,
  StateMismatchError,
  StateTooLargeError,
  StepError,
  hasCode,
} from "@millrace/dataflow";
export {
  AccumulatorTooLargeError,
  DurationError,
  FoldValueError,
  WindowBatchError,
  WindowEventError,
  WindowOptionsError,
  WindowSpecError,
  WindowStateError,
  WindowingError,
} from "@millrace/windowing";
export type { AccumulatorSize, WindowEventFailure } from "@millrace/windowing";
