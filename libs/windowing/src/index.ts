export { eventTime, isWindowTime, messageTime, systemTime, timeOf, windowTime } from "./clock.ts";
export { DueHeap } from "./due-heap.ts";
export { jsonCodec, mapCodec } from "./codecs.ts";
export { jsonBytes } from "./json.ts";
export { MAX_KEPT_BYTES } from "./folds/opaque.ts";
export { createWindowEngine } from "./create-window-engine.ts";
export { Deduplicator } from "./deduplicator.ts";
export {
  AccumulatorTooLargeError,
  DurationError,
  FoldValueError,
  WindowBatchError,
  WindowEventError,
  WindowingError,
  WindowOptionsError,
  WindowSpecError,
  WindowStateError,
} from "./errors.ts";
export { aggregate } from "./folds/aggregate.ts";
export { approxDistinct } from "./folds/approx-distinct.ts";
export { collectList } from "./folds/collect-list.ts";
export { collectMap } from "./folds/collect-map.ts";
export { collectSet, distinct } from "./folds/collect-set.ts";
export { count } from "./folds/count-and-sum.ts";
export { max, min } from "./folds/extremes.ts";
export { foldOf } from "./folds/fold-of.ts";
export { join } from "./folds/join.ts";
export { migrated } from "./folds/migrated.ts";
export { unfinishedSessions } from "./stream/session-table.ts";
export { windowMigrations } from "./migrate-state.ts";
export { mean } from "./folds/mean.ts";
export { quantile } from "./folds/quantile.ts";
export { reduce } from "./folds/reduce.ts";
export { sum } from "./folds/count-and-sum.ts";
export { topK } from "./folds/top-k.ts";
export { DURATION_FORM, formatDuration, isCalendarLength, parseDuration, toMs } from "./duration.ts";
export { session, sliding, tumbling } from "./windower.ts";
export { stateSpecOf } from "./state-spec.ts";
export { NO_SESSION_ID } from "./window.ts";

export type {
  Clock,
  EventClock,
  EventTimeOptions,
  SystemClock,
  SystemTimeOptions,
  Timestamp,
  WaitOptions,
} from "./clock.ts";
export type { CustomWindow, CustomWindower } from "./custom-windower.ts";
export type { CalendarWindower } from "./calendar-windower.ts";
export type { CalendarLength, Duration } from "./duration.ts";
export type { DeduplicatorBatch, DeduplicatorOptions } from "./deduplicator.ts";
export type { FixedWindower } from "./fixed-windower.ts";
export type { AccumulatorSize, WindowEventFailure } from "./errors.ts";
export type {
  ClosingFold,
  Fold,
  FoldMarks,
  FoldPart,
  FoldParts,
  FoldPast,
  PartChanges,
  Seeded,
  SplitAdd,
  StoredAccumulator,
} from "./fold.ts";
export type { WindowMigration } from "./migrate-state.ts";
export type {
  Aggregated,
  AggregateEvent,
  Aggregates,
  AggregateSeed,
  AggregateState,
} from "./folds/aggregate.ts";
export type { ApproxDistinctOptions, Registers } from "./folds/approx-distinct.ts";
export type { CollectBounds } from "./folds/bounds.ts";
export type { ListState } from "./folds/collect-list.ts";
export type { GrowingMap } from "./folds/collect-map.ts";
export type { DistinctOptions, GrowingSet } from "./folds/collect-set.ts";
export type { Scalar } from "./folds/fold-values.ts";
export type { FoldSpec } from "./folds/fold-of.ts";
export type { Opaque, OpaqueBounds } from "./folds/opaque.ts";
export type { Joined, JoinEvent, JoinOptions, JoinSides, JoinState } from "./folds/join.ts";
export type { MeanState } from "./folds/mean.ts";
export type { QuantileOptions, Quantiles, QuantileSketch } from "./folds/quantile.ts";
export type { Ranked, Tally } from "./folds/top-k.ts";
export type { CodecOption, Json, JsonCodec, JsonField, JsonLike } from "./json.ts";
export type { HeldWindow } from "./open-windows.ts";
export type { FoldGrowth, Room } from "./room.ts";
export type { TimeModel, Upstream, WindowEngineOptions } from "./window-engine-options.ts";
export type {
  KeyedBatch,
  StateChange,
  StateField,
  StateGroup,
  Wake,
  WindowEngine,
  WindowOverflow,
  WindowStats,
} from "./window-engine.ts";
export type {
  Completeness,
  LateEvent,
  RefusalReason,
  RefusedEvent,
  SkippedEvent,
  WindowCause,
  WindowOutput,
  WindowResult,
} from "./window-output.ts";
export type { OrdinalWindow, Window, WindowId } from "./window.ts";
export type {
  BuiltInWindower,
  CalendarOptions,
  SessionWindower,
  SlidingOptions,
  TumblingOptions,
  Windower,
} from "./windower.ts";
