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

/** Everything that says what an engine does. */
export interface WindowEngineOptions<V, A, R> {
  /** Tumbling, sliding or sessions; for the time model `stream` also one of your own. */
  readonly windower: Windower;
  readonly clock: Clock<V>;
  readonly fold: Fold<V, A, R>;
  /** @default "stream" */
  readonly timeModel?: TimeModel;
  /**
   * Whether a proof that nothing was left to read lets event time follow system time. With `never` a replay
   * gives byte-equal results, but the last windows stay open until another event comes.
   * Read by the time model `stream` with an event clock. @default "drained"
   */
  readonly idle?: "drained" | "never";
  /** How long (of event time) a closed window is kept for late events; only with `stream`. @default 0 */
  readonly allowedLateness?: Duration;
  /** Emits open windows that changed, too, each time that so much system time has passed. @default none */
  readonly earlyEvery?: Duration;
  /** Folds each key's events in order of their timestamps (equal ones as they came). @default false */
  readonly ordered?: boolean;
  /** Turns events into JSON for snapshots while `ordered` keeps them. @default the value is JSON already */
  readonly valueCodec?: JsonCodec<V>;
  /**
   * Keys in one window (for sessions and `perKey`: keys held at a time). Events of further keys are counted
   * under `overflowKey`. @default 1_000_000
   */
  readonly maxKeysPerWindow?: number;
  /**
   * Pairs of window and key held at a time, over all windows; beyond it, too, further keys count under `overflowKey`.
   * A pair counts once more for each fold in it that keeps more than a number (`distinct`, lists, `reduce`, and the like).
   * State that was kept is taken up whatever its size. @default Infinity
   */
  readonly maxKeys?: number;
  /**
   * Bytes of heap, by estimate, for what the accumulators of folds that collect hold, and for events that wait in order:
   * beyond it a further element is left out, and counted as its row's `overflow`. An element counts with the bytes of its
   * JSON and 100 more. What `foldOf` and `reduce` hold counts with the
   * bytes of JSON of its last snapshot; beyond the bound those with more than 1 KiB take in no more events. State that was
   * kept is taken up whatever its size. @default Infinity
   */
  readonly maxStateBytes?: number;
  /** @default "(overflow)" */
  readonly overflowKey?: string;
  /**
   * Events of one key in one window that `ordered` keeps; further ones are its row's `overflow`. In `perKey`, events of one
   * key that wait at a time: a further one is the `overflow` of its windows' rows, unless it is the first of its windows
   * that waits. @default 100_000
   */
  readonly maxOrderedEvents?: number;
  /**
   * What becomes of an event on which the clock or the fold throws. `fail`: the call throws a `WindowEventError`, and
   * the engine must not be used any more. `skip`: the event is in no window, and comes out among `skipped`; its
   * timestamp, if it has one, counts. @default "fail"
   */
  readonly onError?: "fail" | "skip";
  /** Rows of closing windows that one call may bring out. @default Infinity */
  readonly pageSize?: number;
  /** Says whether all events of [open, close) were seen; asked when a window is emitted. @default "unknown" */
  readonly completeOf?: (open: number, close: number) => Completeness;
  /**
   * Time (ms) up to which `completeOf` has news of every producer; a window on the system clock may wait for it
   * (`settle` of `systemTime`), and on a clock that reads messages' times it is where event time begins on a partition
   * that has had no event. Infinity: there is no producer to wait for, which says nothing of event time. @default never
   */
  readonly settledUpTo?: () => number;
  /**
   * The windows before these, where events are their results: with an event clock the watermark is theirs, less the
   * clock's wait, and `advance` looks at it. Only with `stream`. @default events are no results of windows
   */
  readonly upstream?: Upstream | undefined;
}

/** The windows whose results are the events of an engine. */
export interface Upstream {
  /** The lowest `WindowEngine.finalUpTo` of theirs; −Infinity while results of theirs are on their way. */
  finalUpTo(): number;
  /** When `finalUpTo` can come to so much, by system time alone. */
  wakeFor(finalUpTo: number): Wake | undefined;
}

/** The options with nothing left open. */
export interface ResolvedOptions<V, A, R> {
  readonly windower: Windower;
  readonly clock: Clock<V>;
  readonly fold: Fold<V, A, R>;
  /** The fold as an event is tried on it: it takes no room, and counts nothing. */
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
  /** What all accumulators of an engine share. */
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

/** Fills in the defaults and refuses what cannot be. @throws WindowOptionsError @throws WindowSpecError */
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
        `The windower "${windower.description}" is one of your own, which timeModel "perKey" does not have: ` +
          'use timeModel "stream", or a tumbling, sliding or session windower.',
      );
    }
  }
  if (timeModel === "perKey" && options.upstream !== undefined) {
    throw new WindowOptionsError(
      'The events are results of windows, whose watermark is one for all keys, and timeModel "perKey" has one for each: ' +
        'use timeModel "stream".',
    );
  }
  const matches = fold.match !== undefined;
  if (timeModel === "stream" && ordered && matches) {
    throw new WindowOptionsError(
      'ordered folds events when their window closes, so matches could not leave before: use timeModel "perKey", ' +
        "or a join that emits final.",
    );
  }
  if (matches && earlyEveryMs !== Number.POSITIVE_INFINITY) {
    throw new WindowOptionsError(
      "earlyEvery has nothing to emit for a fold with matches: its rows leave at once. Leave one of the two out.",
    );
  }
}

function requireNumber(value: number, name: string, least: number): number {
  if (value >= least) return value;
  throw new WindowOptionsError(
    `${name} is ${String(value)}, but must be a number of at least ${String(least)}.`,
  );
}
