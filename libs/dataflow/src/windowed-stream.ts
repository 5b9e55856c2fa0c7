import {
  aggregate,
  approxDistinct,
  collectList,
  collectMap,
  collectSet,
  count,
  createWindowEngine,
  distinct,
  isWindowTime,
  join,
  jsonCodec,
  max,
  mean,
  min,
  quantile,
  reduce,
  stateSpecOf,
  sum,
  topK,
  windowMigrations,
} from "@millrace/windowing";
import type {
  Aggregated,
  Aggregates,
  ApproxDistinctOptions,
  Clock,
  CodecOption,
  CollectBounds,
  DistinctOptions,
  Fold,
  Joined,
  JoinOptions,
  JoinSides,
  JoinState,
  JsonField,
  JsonLike,
  LateEvent,
  OpaqueBounds,
  QuantileOptions,
  Quantiles,
  Ranked,
  RefusedEvent,
  Scalar,
  Upstream,
  WindowEngineOptions,
  Windower,
} from "@millrace/windowing";
import { FlowError, StateError, messageOf } from "./errors.ts";
import type { Graph, Port, StateMigration, StatePast } from "./graph.ts";
import { required } from "./operators/step-context.ts";
import type { PartResult } from "./operators/window-operator.ts";
import { keepingBeginning } from "./operators/step-beginning.ts";
import { hasUnfinished } from "./operators/unfinished-windows.ts";
import { WholeWindows, reachOf } from "./operators/whole-windows.ts";
import { WindowOperator } from "./operators/window-operator.ts";
import type { Stream } from "./stream.ts";

/** Options of windows: all options of the engine that do not depend on the fold. */
export interface WindowOptions<V> extends Omit<
  WindowEngineOptions<V, unknown, unknown>,
  "windower" | "clock" | "fold" | "completeOf" | "settledUpTo" | "upstream" | "onError"
> {
  /**
   * What happens to an event on which the clock or the fold throws, such as one without the number that is summed.
   * With `dead-letter` it is in no window, goes to the dead letter and is counted as `skipped`.
   *
   * @default "fail"
   */
  readonly onError?: "fail" | "dead-letter";
  /**
   * The ids that the windows had before, the latest first: each fold's step continues with the state of `<former id>.<fold's id>`. An
   * id with a dot is the whole former id of the step of a fold, which may have had another id, too. @default none
   */
  readonly formerly?: string | readonly string[];
}

/** Rows of a closing window that are emitted at once, so that closing a large window does not block the event loop. */
export const DEFAULT_PAGE_SIZE = 2_000;

/** For windows that are described and do not run. */
const NO_UPSTREAM: Upstream = {
  finalUpTo: () => Number.NEGATIVE_INFINITY,
  wakeFor: () => undefined,
};

/** Makes the streams after a window step. It is passed in, since this module loads before the module of streams. */
type StreamAt = <T>(port: Port) => Stream<T, string>;

interface WindowSpec<V> {
  readonly id: string;
  readonly windower: Windower;
  readonly clock: Clock<V>;
  readonly options: WindowOptions<V>;
}

/** Keyed events divided into windows. A fold combines the events of one key in one window. */
export class WindowedStream<V> {
  readonly #graph: Graph;
  readonly #from: Port;
  readonly #spec: WindowSpec<V>;
  readonly #streamAt: StreamAt;

  /** Called by `Stream.window`. */
  constructor(graph: Graph, from: Port, spec: WindowSpec<V>, streamAt: StreamAt) {
    this.#graph = graph;
    this.#from = from;
    this.#spec = spec;
    this.#streamAt = streamAt;
  }

  /**
   * Folds each key's events of a window into one value. The step is named `<window's id>.<fold's id>`, or as the window
   * if the fold has no name.
   *
   * @throws WindowOptionsError for contradictory options
   * @throws FlowError for results of windows that are revised later, or have no watermark
   */
  fold<A, R>(fold: Fold<V, A, R>): WindowResults<V, R>;
  fold<A, R>(id: string, fold: Fold<V, A, R>): WindowResults<V, R>;
  fold<A, R>(...given: Named<[fold: Fold<V, A, R>]>): WindowResults<V, R> {
    const [id, fold] = named(given);
    return this.#fold(id, fold);
  }

  /** Number of events. */
  count(id?: string): WindowResults<V, number> {
    return this.#fold(id, count());
  }

  /**
   * Several folds at once, one row with all their results: `{ events: count(), users: distinct((c) => c.user) }`.
   *
   * @param folds each under the name of its field in the row
   */
  aggregate<S extends Aggregates<V>>(folds: S): WindowResults<V, Aggregated<S>>;
  aggregate<S extends Aggregates<V>>(id: string, folds: S): WindowResults<V, Aggregated<S>>;
  aggregate<S extends Aggregates<V>>(...given: Named<[folds: S]>): WindowResults<V, Aggregated<S>> {
    const [id, folds] = named(given);
    return this.#fold(id, aggregate<S, V>(folds));
  }

  /**
   * The values that `valueOf` returns, combined two at a time. `combine` must be associative, and change neither of
   * its arguments. Values that are not JSON need a codec. A value above `maxBytes` (1 MiB) takes no more events in;
   * the row's `overflow` counts them.
   */
  reduce<A>(
    valueOf: (value: V) => A & JsonLike<A>,
    combine: (a: A, b: A) => A,
    options?: OpaqueBounds,
  ): WindowResults<V, A>;
  reduce<A>(
    id: string,
    valueOf: (value: V) => A & JsonLike<A>,
    combine: (a: A, b: A) => A,
    options?: OpaqueBounds,
  ): WindowResults<V, A>;
  reduce<A>(
    valueOf: (value: V) => A,
    combine: (a: A, b: A) => A,
    options: CodecOption<A> & OpaqueBounds,
  ): WindowResults<V, A>;
  reduce<A>(
    id: string,
    valueOf: (value: V) => A,
    combine: (a: A, b: A) => A,
    options: CodecOption<A> & OpaqueBounds,
  ): WindowResults<V, A>;
  reduce<A>(
    ...given: Named<
      [
        valueOf: (value: V) => A,
        combine: (a: A, b: A) => A,
        options?: (Partial<CodecOption<A>> & OpaqueBounds) | undefined,
      ]
    >
  ): WindowResults<V, A> {
    const [id, valueOf, combine, options] = named(given);
    return this.#fold(id, reduce(valueOf, combine, { ...options, codec: options?.codec ?? jsonCodec() }));
  }

  /** Sum of the values that `valueOf` returns: finite numbers, else the event is an error. */
  sum(valueOf: (value: V) => number): WindowResults<V, number>;
  sum(id: string, valueOf: (value: V) => number): WindowResults<V, number>;
  sum(...given: Named<[valueOf: (value: V) => number]>): WindowResults<V, number> {
    const [id, valueOf] = named(given);
    return this.#fold(id, sum(valueOf));
  }

  /** Minimum of the values that `valueOf` returns: finite numbers, else the event is an error. */
  min(valueOf: (value: V) => number): WindowResults<V, number>;
  min(id: string, valueOf: (value: V) => number): WindowResults<V, number>;
  min(...given: Named<[valueOf: (value: V) => number]>): WindowResults<V, number> {
    const [id, valueOf] = named(given);
    return this.#fold(id, min(valueOf));
  }

  /** Maximum of the values that `valueOf` returns: finite numbers, else the event is an error. */
  max(valueOf: (value: V) => number): WindowResults<V, number>;
  max(id: string, valueOf: (value: V) => number): WindowResults<V, number>;
  max(...given: Named<[valueOf: (value: V) => number]>): WindowResults<V, number> {
    const [id, valueOf] = named(given);
    return this.#fold(id, max(valueOf));
  }

  /** Mean of the values that `valueOf` returns: finite numbers, else the event is an error. */
  mean(valueOf: (value: V) => number): WindowResults<V, number>;
  mean(id: string, valueOf: (value: V) => number): WindowResults<V, number>;
  mean(...given: Named<[valueOf: (value: V) => number]>): WindowResults<V, number> {
    const [id, valueOf] = named(given);
    return this.#fold(id, mean(valueOf));
  }

  /**
   * The exact number of different values that `valueOf` returns; each value is kept. Undefined = the event has none.
   * Values beyond the bound of a million are in the row's `overflow`.
   */
  distinct(valueOf: ScalarOf<V>, options?: DistinctOptions): WindowResults<V, number>;
  distinct(id: string, valueOf: ScalarOf<V>, options?: DistinctOptions): WindowResults<V, number>;
  distinct(
    ...given: Named<[valueOf: ScalarOf<V>, options?: DistinctOptions | undefined]>
  ): WindowResults<V, number> {
    const [id, valueOf, options] = named(given);
    return this.#fold(id, distinct(valueOf, options));
  }

  /**
   * About how many different values `valueOf` returns, with a standard error of 2 % (`error`) in 4 KiB for each key,
   * however many there are. Undefined = the event has none.
   *
   * @throws WindowOptionsError
   */
  approxDistinct(valueOf: ScalarOf<V>, options?: ApproxDistinctOptions): WindowResults<V, number>;
  approxDistinct(id: string, valueOf: ScalarOf<V>, options?: ApproxDistinctOptions): WindowResults<V, number>;
  approxDistinct(
    ...given: Named<[valueOf: ScalarOf<V>, options?: ApproxDistinctOptions | undefined]>
  ): WindowResults<V, number> {
    const [id, valueOf, options] = named(given);
    return this.#fold(id, approxDistinct(valueOf, options));
  }

  /**
   * Quantiles of the values that `valueOf` returns (finite numbers, else the event is an error), with a relative error of at
   * most 1 % (`error`). A number for one `q` from 0 to 1, a list for a list.
   *
   * @example .quantile((request) => request.ms, 0.99)
   * @throws WindowOptionsError
   */
  quantile<const Q extends number | readonly number[]>(
    valueOf: (value: V) => number,
    q: Q,
    options?: QuantileOptions,
  ): WindowResults<V, Quantiles<Q>>;
  quantile<const Q extends number | readonly number[]>(
    id: string,
    valueOf: (value: V) => number,
    q: Q,
    options?: QuantileOptions,
  ): WindowResults<V, Quantiles<Q>>;
  quantile<const Q extends number | readonly number[]>(
    ...given: Named<[valueOf: (value: V) => number, q: Q, options?: QuantileOptions | undefined]>
  ): WindowResults<V, Quantiles<Q>> {
    const [id, valueOf, q, options] = named(given);
    return this.#fold(id, quantile(valueOf, q, options));
  }

  /**
   * The `k` most frequent of the values that `valueOf` returns, the most frequent first; undefined = the event has none. With
   * more than 2,000 different values (`max`) each count may be too low by its `error`.
   *
   * @throws WindowOptionsError
   */
  topK<T extends Scalar>(
    valueOf: (value: V) => T | undefined,
    k: number,
    options?: CollectBounds,
  ): WindowResults<V, readonly Ranked<T>[]>;
  topK<T extends Scalar>(
    id: string,
    valueOf: (value: V) => T | undefined,
    k: number,
    options?: CollectBounds,
  ): WindowResults<V, readonly Ranked<T>[]>;
  topK<T extends Scalar>(
    ...given: Named<[valueOf: (value: V) => T | undefined, k: number, options?: CollectBounds | undefined]>
  ): WindowResults<V, readonly Ranked<T>[]> {
    const [id, valueOf, k, options] = named(given);
    return this.#fold(id, topK(valueOf, k, options));
  }

  /**
   * The events themselves, as a list of at most 100,000 events and 256 KiB of JSON; the others are counted in the row's
   * `overflow`. Events that are not JSON need a codec.
   */
  collect(...options: CollectArguments<V>): WindowResults<V, readonly V[]>;
  collect(id: string, ...options: CollectArguments<V>): WindowResults<V, readonly V[]>;
  collect(first?: string | ListOptions<V>, second?: ListOptions<V>): WindowResults<V, readonly V[]> {
    const [id, options] = typeof first === "string" ? [first, second] : [undefined, first];
    const list = collectList((value: V) => value, { ...options, codec: options?.codec ?? jsonCodec<V>() });
    return this.#fold(id, list);
  }

  /**
   * The values that `valueOf` returns, as a list; undefined = the event has none. It has the bounds of {@link collect}. Values
   * that are not JSON need a codec.
   */
  collectList<T>(
    valueOf: (value: V) => T & JsonField<T>,
    options?: CollectBounds,
  ): WindowResults<V, readonly Exclude<T, undefined>[]>;
  collectList<T>(
    id: string,
    valueOf: (value: V) => T & JsonField<T>,
    options?: CollectBounds,
  ): WindowResults<V, readonly Exclude<T, undefined>[]>;
  collectList<T>(
    valueOf: (value: V) => T | undefined,
    options: CollectBounds & CodecOption<T>,
  ): WindowResults<V, readonly T[]>;
  collectList<T>(
    id: string,
    valueOf: (value: V) => T | undefined,
    options: CollectBounds & CodecOption<T>,
  ): WindowResults<V, readonly T[]>;
  collectList<T>(
    ...given: Named<[valueOf: (value: V) => T | undefined, options?: ListOptions<T> | undefined]>
  ): WindowResults<V, readonly T[]> {
    const [id, valueOf, options] = named(given);
    return this.#fold(id, collectList(valueOf, { ...options, codec: options?.codec ?? jsonCodec<T>() }));
  }

  /** The different values that `valueOf` returns, in order of their first appearance, with the bounds of {@link collect}. */
  collectSet<T extends Scalar>(
    valueOf: (value: V) => T | undefined,
    options?: CollectBounds,
  ): WindowResults<V, readonly T[]>;
  collectSet<T extends Scalar>(
    id: string,
    valueOf: (value: V) => T | undefined,
    options?: CollectBounds,
  ): WindowResults<V, readonly T[]>;
  collectSet<T extends Scalar>(
    ...given: Named<[valueOf: (value: V) => T | undefined, options?: CollectBounds | undefined]>
  ): WindowResults<V, readonly T[]> {
    const [id, valueOf, options] = named(given);
    return this.#fold(id, collectSet(valueOf, options));
  }

  /**
   * An object with the entries that `entryOf` returns; for equal names the last one counts, undefined = the event has none. It
   * has the bounds of {@link collect}. Values that are not JSON need a codec.
   *
   * @example .collectMap((reading) => [reading.sensor, reading.value])
   */
  collectMap<T>(
    entryOf: (value: V) => readonly [name: string, value: T & JsonLike<T>] | undefined,
    options?: CollectBounds,
  ): WindowResults<V, Readonly<Record<string, T>>>;
  collectMap<T>(
    id: string,
    entryOf: (value: V) => readonly [name: string, value: T & JsonLike<T>] | undefined,
    options?: CollectBounds,
  ): WindowResults<V, Readonly<Record<string, T>>>;
  collectMap<T>(
    entryOf: (value: V) => readonly [name: string, value: T] | undefined,
    options: CollectBounds & CodecOption<T>,
  ): WindowResults<V, Readonly<Record<string, T>>>;
  collectMap<T>(
    id: string,
    entryOf: (value: V) => readonly [name: string, value: T] | undefined,
    options: CollectBounds & CodecOption<T>,
  ): WindowResults<V, Readonly<Record<string, T>>>;
  collectMap<T>(
    ...given: Named<
      [
        entryOf: (value: V) => readonly [name: string, value: T] | undefined,
        options?: ListOptions<T> | undefined,
      ]
    >
  ): WindowResults<V, Readonly<Record<string, T>>> {
    const [id, entryOf, options] = named(given);
    return this.#fold(id, collectMap(entryOf, { ...options, codec: options?.codec ?? jsonCodec<T>() }));
  }

  /**
   * Events of several kinds that share a key and a window, in one row: the value of each side, `null` for a side without an
   * event. A side's function returns `undefined` for an event of another kind.
   *
   * @typeParam S the sides by name
   * @example .join({ sides: { order: (e) => e.order, payment: (e) => e.payment } })
   * @throws WindowOptionsError
   */
  join<S extends SidesOf<V>, I extends Insert = "last">(
    options: JoinOptions<S> & { readonly insert?: I },
  ): WindowResults<V, JoinRow<S, I>>;
  join<S extends SidesOf<V>, I extends Insert = "last">(
    id: string,
    options: JoinOptions<S> & { readonly insert?: I },
  ): WindowResults<V, JoinRow<S, I>>;
  join<S extends SidesOf<V>, I extends Insert>(
    ...given: Named<[options: JoinOptions<S>]>
  ): WindowResults<V, JoinRow<S, I>> {
    const [id, options] = named(given);
    // The sides take V, which the fold reads off them; no type says so of an S that is not known yet.
    const fold: unknown = join(options as JoinOptions<S> & { readonly insert?: "last" });
    return this.#fold(id, fold as Fold<V, JoinState, JoinRow<S, I>>);
  }

  #fold<A, R>(id: string | undefined, fold: Fold<V, A, R>): WindowResults<V, R> {
    const { windower, clock, options } = this.#spec;
    const { onError: policy = "fail", formerly, ...kept } = options;
    const onError: "skip" | "fail" = policy === "dead-letter" ? "skip" : "fail";
    const engineOptions = { pageSize: DEFAULT_PAGE_SIZE, ...kept, onError, windower, clock, fold };
    const step = id === undefined ? this.#spec.id : `${this.#spec.id}.${id}`;
    const windowsBefore = this.#windowsBefore(step);
    const follows = windowsBefore.length > 0 && clock.kind === "event";
    // Building an engine now throws on a contradiction where it was written, and describes what the windows do.
    const explanation = createWindowEngine({
      ...engineOptions,
      upstream: follows ? NO_UPSTREAM : undefined,
    }).explain();
    const descriptionOf = (spec: string): string =>
      `window ${spec} clock=${follows ? "windows" : clock.kind}`;
    this.#graph.add({
      id: step,
      operator: "window",
      inputs: [this.#from],
      ports: ["down", "late", "refused"],
      detail: explanation,
      state: descriptionOf(stateSpecOf(engineOptions)),
      past: {
        ...pastOf(id, formerly),
        migrationFrom: (kept) => {
          const found = windowMigrations(engineOptions).find(({ spec }) => descriptionOf(spec) === kept);
          return found && keepingBeginning(namingStep(step, found.migrate));
        },
      },
      windows: {
        once: options.allowedLateness === undefined && options.earlyEvery === undefined,
        bounded: clock.kind === "system" || options.timeModel !== "perKey",
        sessions: windower.kind === "session",
        reachMs: reachOf(windower),
        eventTime: clock.kind === "event",
        hasUnfinished: (before, watermark, groups) => hasUnfinished(windower, before, watermark, groups),
      },
      windowsBefore,
      needsDrained:
        clock.kind === "event" && !follows && options.timeModel !== "perKey" && options.idle !== "never",
      role: {
        kind: "operator",
        build: (context, [late, refused], upstream) => {
          const completeOf = (open: number, close: number): ReturnType<typeof context.completeness> =>
            context.completeness(open, close);
          const settledUpTo = (): number => context.settledUpTo();
          const maxKeys = engineOptions.maxKeys ?? context.maxKeys;
          const maxStateBytes = engineOptions.maxStateBytes ?? context.maxStateBytes;
          const room = { maxKeys, maxStateBytes };
          const engine = createWindowEngine({
            ...engineOptions,
            ...room,
            completeOf,
            settledUpTo,
            upstream: follows ? upstream : undefined,
          });
          const sides = { late: required(late), refused: required(refused) };
          const whole = new WholeWindows(context, windower, (readFrom) => upstream.wholeFrom(readFrom));
          return new WindowOperator<V, R>(context, engine, whole, follows ? undefined : clock, sides);
        },
      },
    });
    return Object.assign(this.#streamAt<PartResult<R>>({ node: step, port: "down" }), {
      late: this.#streamAt<LateEvent<V>>({ node: step, port: "late" }),
      refused: this.#streamAt<RefusedEvent<V>>({ node: step, port: "refused" }),
    });
  }

  /** @throws FlowError if the windows before have no watermark, or may revise a result */
  #windowsBefore(step: string): readonly string[] {
    const { clock } = this.#spec;
    const { windows, input } = this.#graph.originOf(this.#from);
    const refuse = (why: string): never => {
      throw new FlowError(`flow "${this.#graph.flow}", step "${step}": ${why}`);
    };
    for (const before of windows) {
      const results = this.#graph.node(before)?.windows;
      if (results?.once === false) {
        refuse(
          `its events are results of "${before}", which has allowedLateness or earlyEvery: a row that replaces another one would be counted beside it; leave both out there`,
        );
      }
      if (clock.kind === "event" && results?.bounded === false) {
        refuse(
          `its events are results of "${before}", where each key has a time of its own (timeModel "perKey"), so nothing says when all results are out; divide them by systemTime()`,
        );
      }
    }
    if (windows.length === 0 && isWindowTime(clock)) {
      refuse(
        "windowTime() is the time of results of windows, and its events are not results; use eventTime(…)",
      );
    }
    if (clock.kind === "system" || windows.length === 0) return windows;
    if (clock.timestamp === undefined) {
      refuse("its events are results of windows, which have no message of their own; use windowTime()");
    }
    if (input) {
      refuse(
        "some of its events are results of windows and others are not, and they have no watermark in common; divide them apart, and merge the results",
      );
    }
    return windows;
  }
}

/** @param fold its id */
function pastOf(fold: string | undefined, formerly: WindowOptions<unknown>["formerly"] = []): StatePast {
  const ids = [formerly].flat();
  return { formerly: ids.map((id) => (fold === undefined || id.includes(".") ? id : `${id}.${fold}`)) };
}

/** @returns the migration, which throws StateError with the step's id */
function namingStep(step: string, migrate: StateMigration): StateMigration {
  return (groups) => {
    try {
      return migrate(groups);
    } catch (error) {
      throw new StateError(`step "${step}", ${messageOf(error)}. Nothing was changed.`, { cause: error });
    }
  };
}

/** The sides of a join over events of one type. */
type SidesOf<V> = Readonly<Record<string, (event: V) => unknown>>;

/** Which event of a side counts. */
type Insert = "first" | "last" | "product";

/** One row, or with `product` the list of every combination. */
type JoinRow<S extends JoinSides, I extends Insert> = I extends "product" ? readonly Joined<S>[] : Joined<S>;

/** Bounds of a list or a map, and the codec of its values. */
type ListOptions<T> = CollectBounds & Partial<CodecOption<T>>;

/** The value that is compared; `undefined`: the event has none. */
type ScalarOf<V> = (value: V) => Scalar | undefined;

function named<A extends readonly unknown[]>(given: Named<A>): readonly [id: string | undefined, ...rest: A] {
  return isNamed(given) ? given : [undefined, ...given];
}

/** Options of `collect` besides its id: a codec, if events are not JSON. */
type CollectArguments<V> = [V] extends [JsonLike<V>]
  ? [options?: ListOptions<V>]
  : [options: CollectBounds & CodecOption<V>];

/** The results of a windowed fold, each under its key, with the events that are in no window. */
export interface WindowResults<V, R> extends Stream<PartResult<R>, string> {
  /** Events that came after all their windows had closed. */
  readonly late: Stream<LateEvent<V>, string>;
  /** Events whose timestamp is invalid or too far in the future. */
  readonly refused: Stream<RefusedEvent<V>, string>;
}

/** Arguments of a step, with or without its name; the others never start with a string. */
export type Named<A extends readonly unknown[]> = A | readonly [id: string, ...rest: A];

/** Whether the name is given. */
export function isNamed<A extends readonly unknown[]>(
  given: Named<A>,
): given is readonly [id: string, ...rest: A] {
  return typeof given[0] === "string";
}
