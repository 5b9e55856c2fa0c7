import type { Clock } from "./clock.ts";
import { toMs } from "./duration.ts";
import type { Duration } from "./duration.ts";
import { WindowOptionsError } from "./errors.ts";
import type { Fold } from "./fold.ts";
import { DEFAULT_MAX_ELEMENTS } from "./folds/bounds.ts";
import type { JsonCodec } from "./json.ts";
import { StateBudget } from "./room.ts";
import { jsonCodec } from "./codecs.ts";
import type { Completeness } from "./window-output.ts";
import { requireDescription } from "./custom-windower.ts";
import type { Wake } from "./window-engine.ts";
import type { BuiltInWindower, Windower } from "./windower.ts";

/**
 * `stream`: one watermark for all keys; an event is late only when all its windows have closed.
 * `perKey`: a watermark for each key, for devices whose clocks and delays differ (see the README).
 */
export type TimeModel = "stream" | "perKey";

/** The options of an engine. */
export interface WindowEngineOptions<V, A, R> {
  /** Tumbling, sliding or sessions; for the time model `stream` also your own. */
  readonly windower: Windower;
  readonly clock: Clock<V>;
  readonly fold: Fold<V, A, R>;
  /** @default "stream" */
  readonly timeModel?: TimeModel;
  /**
   * Whether event time follows system time after a proof that nothing was left to read. With `never` a replay gives
   * byte-equal results, but the last windows stay open until another event comes.
   * Read by the time model `stream` with an event clock. @default "drained"
   */
  readonly idle?: "drained" | "never";
  /** How long (of event time) a closed window is kept for late events; only with `stream`. @default 0 */
  readonly allowedLateness?: Duration;
  /** Also emits open windows that changed, at this interval of system time. @default none */
  readonly earlyEvery?: Duration;
  /** Folds each key's events in order of their timestamps (equal ones in the order of arrival). @default false */
  readonly ordered?: boolean;
  /** Converts events to JSON for snapshots while `ordered` keeps them. @default the value is JSON already */
  readonly valueCodec?: JsonCodec<V>;
  /**
   * Maximum number of keys in one window (for sessions and `perKey`: keys held at a time). Events of further keys count
   * under `overflowKey`. @default 1_000_000
   */
  readonly maxKeysPerWindow?: number;
  /**
   * Maximum number of pairs of window and key held at a time, over all windows; further keys count under `overflowKey`.
   * A pair counts once more for each of its folds that keeps more than a number (`distinct`, lists, `reduce` and others).
   * Stored state is restored whatever its size. @default Infinity
   */
  readonly maxKeys?: number;
  /**
   * Bytes of heap, by estimate, for the content of accumulators of folds that collect, and for events that wait in order:
   * above it a further element is left out, and counted as its row's `overflow`. An element counts with the bytes of its
   * JSON and 100 more. An accumulator of `foldOf` or `reduce` counts with the
   * bytes of JSON of its last snapshot; above the bound those with more than 1 KiB take no more events in. Stored state is
   * restored whatever its size. @default Infinity
   */
  readonly maxStateBytes?: number;
  /** @default "(overflow)" */
  readonly overflowKey?: string;
  /**
   * Maximum number of events of one key in one window that `ordered` keeps; further ones are its row's `overflow`. In
   * `perKey`, the maximum number of waiting events of one key: a further one is the `overflow` of its windows' rows, unless
   * it is the first of its windows that waits. @default 100_000
   */
  readonly maxOrderedEvents?: number;
  /**
   * What happens to an event on which the clock or the fold throws. `fail`: the call throws a `WindowEventError`, and
   * the engine must not be used any more. `skip`: the event is in no window, and is returned among `skipped`; its
   * timestamp, if it has one, counts. @default "fail"
   */
  readonly onError?: "fail" | "skip";
  /** Maximum number of rows of closing windows that one call emits. @default Infinity */
  readonly pageSize?: number;
  /** Whether all events of [open, close) were seen; called when a window is emitted. @default "unknown" */
  readonly completeOf?: (open: number, close: number) => Completeness;
  /**
   * Time (ms) up to which every producer has been heard, for `completeOf`. A window on the system clock may wait for it
   * (`settle` of `systemTime`), and with a clock that reads messages' times event time begins at it on a partition
   * without events so far. Infinity: there is no producer to wait for, so it does not start event time. @default never
   */
  readonly settledUpTo?: () => number;
  /**
   * The windows before these, if events are their results: with an event clock the watermark is theirs, minus the
   * clock's wait, and `advance` reads it. Only with `stream`. @default events are no results of windows
   */
  readonly upstream?: Upstream | undefined;
}

/** The window steps whose results are the events of an engine. */
export interface Upstream {
  /** The lowest `WindowEngine.finalUpTo` of them; −Infinity while results of theirs are in-flight. */
  finalUpTo(): number;
  /** When `finalUpTo` can reach this value by system time alone. */
  wakeFor(finalUpTo: number): Wake | undefined;
}

/** The options, with defaults. */
export interface ResolvedOptions<V, A, R> {
  readonly windower: Windower;
  readonly clock: Clock<V>;
  readonly fold: Fold<V, A, R>;
  /** The fold that checks an event: it takes no room, and counts nothing. */
  readonly tried: Fold<V, A, R>;
  readonly timeModel: TimeModel;
  readonly idle: "drained" | "never";
  readonly allowedLatenessMs: number;
  /** Infinity = none. */
  readonly earlyEveryMs: number;
  readonly ordered: boolean;
  readonly valueCodec: JsonCodec<V>;
  readonly maxKeysPerWindow: number;
  readonly maxKeys: number;
  /** Shared by all accumulators of an engine. */
  readonly room: StateBudget;
  readonly overflowKey: string;
  readonly maxOrderedEvents: number;
  readonly onError: "fail" | "skip";
  readonly pageSize: number;
  readonly completeOf: (open: number, close: number) => Completeness;
  readonly settledUpTo: () => number;
  readonly upstream: Upstream | undefined;
}

/** The options of the time model `perKey`. */
export interface PerKeyOptions<V, A, R> extends ResolvedOptions<V, A, R> {
  readonly windower: BuiltInWindower;
}

const never = (): number => Number.NEGATIVE_INFINITY;

const unknownCompleteness = (): Completeness => "unknown";

/** Fills in the defaults and refuses invalid options. @throws WindowOptionsError @throws WindowSpecError */
export function resolveOptions<V, A, R>(options: WindowEngineOptions<V, A, R>): ResolvedOptions<V, A, R> {
  const resolved: ResolvedOptions<V, A, R> = {
    windower: options.windower,
    clock: options.clock,
    fold: options.fold,
    tried: options.fold,
    timeModel: options.timeModel ?? "stream",
    idle: options.idle ?? "drained",
    allowedLatenessMs: requireNumber(toMs(options.allowedLateness ?? 0), "allowedLateness", 0),
    earlyEveryMs: requireNumber(toMs(options.earlyEvery ?? Number.POSITIVE_INFINITY), "earlyEvery", 1),
    ordered: options.ordered ?? false,
    valueCodec: options.valueCodec ?? jsonCodec<V>(),
    maxKeysPerWindow: requireNumber(options.maxKeysPerWindow ?? 1_000_000, "maxKeysPerWindow", 1),
    maxKeys: requireNumber(options.maxKeys ?? Number.POSITIVE_INFINITY, "maxKeys", 1),
    room: new StateBudget(
      requireNumber(options.maxStateBytes ?? Number.POSITIVE_INFINITY, "maxStateBytes", 1),
    ),
    overflowKey: options.overflowKey ?? "(overflow)",
    maxOrderedEvents: requireNumber(options.maxOrderedEvents ?? DEFAULT_MAX_ELEMENTS, "maxOrderedEvents", 1),
    onError: options.onError ?? "fail",
    pageSize: requireNumber(options.pageSize ?? Number.POSITIVE_INFINITY, "pageSize", 1),
    completeOf: options.completeOf ?? unknownCompleteness,
    settledUpTo: options.settledUpTo ?? never,
    upstream: options.clock.kind === "event" ? options.upstream : undefined,
  };
  refuseContradictions(resolved);
  return resolved;
}

function refuseContradictions<V, A, R>(options: ResolvedOptions<V, A, R>): void {
  const { windower, timeModel, ordered, fold, earlyEveryMs } = options;
  if (windower.kind === "custom") {
    requireDescription(windower);
    if (timeModel === "perKey") {
      throw new WindowOptionsError(
        `The windower "${windower.description}" is a custom one, which timeModel "perKey" does not support: ` +
          'use timeModel "stream", or a tumbling, sliding or session windower.',
      );
    }
  }
  if (timeModel === "perKey" && options.upstream !== undefined) {
    throw new WindowOptionsError(
      'The events are results of windows, which share one watermark, and timeModel "perKey" has one for each key: ' +
        'use timeModel "stream".',
    );
  }
  const matches = fold.match !== undefined;
  if (timeModel === "stream" && ordered && matches) {
    throw new WindowOptionsError(
      'ordered folds events when their window closes, so matches cannot be emitted before: use timeModel "perKey", ' +
        'or a join with emit: "final".',
    );
  }
  if (matches && earlyEveryMs !== Number.POSITIVE_INFINITY) {
    throw new WindowOptionsError(
      "earlyEvery has no effect on a fold with matches, which emits its rows at once. Leave one of the two out.",
    );
  }
}

function requireNumber(value: number, name: string, least: number): number {
  if (value >= least) return value;
  throw new WindowOptionsError(
    `${name} is ${String(value)}, but must be a number of at least ${String(least)}.`,
  );
}
