import type { Assignment } from "../contracts/assignment.ts";
import { DEFAULT_LOGGER } from "../contracts/logger.ts";
import type { Logger } from "../contracts/logger.ts";
import type { RunObserver } from "../contracts/observer.ts";
import type { Store } from "../contracts/store.ts";
import { SYSTEM_TIME } from "../contracts/time-provider.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import { FlowError } from "../errors.ts";
import type { Observers } from "./observers.ts";
import type { DeadLetterLog } from "./dead-letter-log.ts";
import { getHeapStatistics } from "node:v8";

/** From when on a run can be idle. */
export type IdleFrom = "first-event" | "start";

/** Options of a run. An option that is `undefined` has its default. */
export interface RunOptions {
  /** Keeps the tasks' state, so that a later run resumes from it. @default none */
  readonly store?: Store;
  /** Partitions to run; the others are left to other workers. Not with an `assignment`. @default all */
  readonly parts?: readonly string[];
  /**
   * Hands out the partitions to workers while they run. One that is shared needs a store, a source that keeps its events,
   * and sinks that all workers reach; such a run ends only when it is stopped. @default the tasks of `parts`, to the end
   */
  readonly assignment?: Assignment;
  /**
   * Ends the run once every partition was connected and drained for this long (ms), counted as `idleFrom` says. With a store,
   * open windows emit early results (cause `early`) and stay open for the next run; without one, or with
   * `closeWindows`, they close. @default never
   */
  readonly exitWhenIdleMs?: number;
  /**
   * When `exitWhenIdleMs` begins to count. `first-event`: after an event or a resume in some partition, so that a run
   * may start before its producers. `start`: at once, so that an input without events also ends the run.
   * @default "first-event"
   */
  readonly idleFrom?: IdleFrom;
  /** A run that ends because it is idle closes its windows for good, also with a store. @default false */
  readonly closeWindows?: boolean;
  /**
   * Time (ms) that `stop()` gives the tasks to finish and commit what they read, and the limit for closing everything at
   * any end. @default 10000
   */
  readonly drainTimeoutMs?: number;
  /**
   * Maximum time (ms) between commits while anything changed; if only the watermark changed, at least 1000.
   * @default 1000
   */
  readonly commitEveryMs?: number;
  /** Events after which a commit is made. @default 10000 */
  readonly commitEveryEvents?: number;
  /**
   * Maximum number of keys with state in this run, over all its tasks and steps. A key counts once for each of its
   * windows. Each step of each task may have its share. Events of further keys are counted under a window's
   * `overflowKey`, and are errors in a stateful step (`StepOptions.onError`). @default from the limit of the heap
   */
  readonly maxKeys?: number;
  /**
   * Bytes of the heap, by estimate, for what accumulators of windows collect (`distinct`, lists, sets, maps, joins, events
   * that wait in order), over all tasks and steps, divided as `maxKeys` is. A further element is left out, and counted as
   * its row's `overflow`. For a stateful step it bounds the JSON of all its states
   * (`StatefulOptions.maxBytes`). @default from the limit of the heap
   */
  readonly maxStateBytes?: number;
  /**
   * Ids of stateful steps whose stored state is deleted with the first commit, if the flow cannot continue from it: since the
   * step is removed, or keeps another state now and then begins empty. State that the flow can continue from stays. @default none
   */
  readonly dropState?: readonly string[];
  /** How long (ms) batches of a task may run before signals, sockets and HTTP get a turn. @default 10 */
  readonly maxTurnMs?: number;
  /** They look at the run: metrics, monitoring, tracing. They cannot change it, and cannot fail it. @default none */
  readonly observers?: readonly RunObserver[];
  /** Stops the run as `stop()` does, when aborted. */
  readonly signal?: AbortSignal;
  /** @default warnings and errors on standard error */
  readonly logger?: Logger;
  /** @default the system's clock and timers */
  readonly time?: TimeProvider;
}

export const DEFAULT_RUN_OPTIONS = {
  exitWhenIdleMs: Infinity,
  idleFrom: "first-event",
  closeWindows: false,
  drainTimeoutMs: 10_000,
  commitEveryMs: 1_000,
  commitEveryEvents: 10_000,
  maxTurnMs: 10,
  dropState: [],
  logger: DEFAULT_LOGGER,
  time: SYSTEM_TIME,
} as const satisfies RunOptions;

/** The options of a run, with defaults. */
export type ResolvedRunOptions = Required<
  Omit<RunOptions, "store" | "parts" | "assignment" | "signal" | "observers">
>;

/** The options of a task, with defaults. */
export interface TaskOptions extends ResolvedRunOptions {
  /** A step's share of `maxKeys`. */
  readonly maxKeysPerStep: number;
  /** A step's share of `maxStateBytes`. */
  readonly maxStateBytesPerStep: number;
  readonly observers: Observers;
  /** Logs dead letters without a sink, for all tasks of the run. */
  readonly deadLetterLog: DeadLetterLog;
}

/** @throws FlowError for a value out of range */
export function resolveRunOptions(options: RunOptions): ResolvedRunOptions {
  const resolved: ResolvedRunOptions = {
    exitWhenIdleMs: options.exitWhenIdleMs ?? DEFAULT_RUN_OPTIONS.exitWhenIdleMs,
    idleFrom: options.idleFrom ?? DEFAULT_RUN_OPTIONS.idleFrom,
    closeWindows: options.closeWindows ?? DEFAULT_RUN_OPTIONS.closeWindows,
    drainTimeoutMs: options.drainTimeoutMs ?? DEFAULT_RUN_OPTIONS.drainTimeoutMs,
    commitEveryMs: options.commitEveryMs ?? DEFAULT_RUN_OPTIONS.commitEveryMs,
    commitEveryEvents: options.commitEveryEvents ?? DEFAULT_RUN_OPTIONS.commitEveryEvents,
    maxTurnMs: options.maxTurnMs ?? DEFAULT_RUN_OPTIONS.maxTurnMs,
    dropState: options.dropState ?? DEFAULT_RUN_OPTIONS.dropState,
    maxKeys: options.maxKeys ?? keysOfHeap(),
    maxStateBytes: options.maxStateBytes ?? stateBytesOfHeap(),
    logger: options.logger ?? DEFAULT_RUN_OPTIONS.logger,
    time: options.time ?? DEFAULT_RUN_OPTIONS.time,
  };
  for (const name of [
    "exitWhenIdleMs",
    "drainTimeoutMs",
    "commitEveryMs",
    "commitEveryEvents",
    "maxTurnMs",
    "maxKeys",
    "maxStateBytes",
  ] as const) {
    if (!(resolved[name] > 0))
      throw new FlowError(`run option ${name} is ${resolved[name]}, but must be above 0`);
  }
  return resolved;
}

/**
 * Heap per key at most (bytes): its cell, its entry among the changes, and its field of a commit or of a state that is
 * loaded. Measured with a count per key; what accumulators collect has its own bound.
 */
const BYTES_PER_KEY = 1_000;
/** The part of the heap for keys; the rest is for events in-flight. */
const SHARE = 0.5;
/** The part of the heap for what accumulators collect: storing or loading them needs as much again. */
const BYTES_SHARE = 0.2;

/** How many keys fit into this process, from the limit of its heap (`--max-old-space-size`). */
function keysOfHeap(limitBytes: number = getHeapStatistics().heap_size_limit): number {
  return Math.max(Math.floor((limitBytes * SHARE) / BYTES_PER_KEY), 1);
}

/** How many bytes of this process's heap accumulators may take. */
function stateBytesOfHeap(limitBytes: number = getHeapStatistics().heap_size_limit): number {
  return Math.floor(limitBytes * BYTES_SHARE);
}
