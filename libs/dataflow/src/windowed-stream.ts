import {
  aggregate,
  collectList,
  count,
  createWindowEngine,
  distinct,
  jsonCodec,
  max,
  mean,
  min,
  reduce,
  stateSpecOf,
  sum,
} from "@millrace/windowing";
import type {
  Aggregated,
  Aggregates,
  Clock,
  CodecOption,
  CollectBounds,
  DistinctOptions,
  Fold,
  JsonLike,
  LateEvent,
  OpaqueBounds,
  RefusedEvent,
  WindowEngineOptions,
  Windower,
} from "@millrace/windowing";
import { divisionByKey } from "./division.ts";
import type { Division } from "./division.ts";
import type { Graph, Port } from "./graph.ts";
import { required } from "./operators/required.ts";
import type { PartResult } from "./operators/window-operator.ts";
import { WindowOperator } from "./operators/window-operator.ts";
import { Stream } from "./stream.ts";

/** How windows are kept: everything of the engine that does not depend on the fold. */
export interface WindowOptions<V> extends Omit<
  WindowEngineOptions<V, unknown, unknown>,
  "windower" | "clock" | "fold" | "completeOf" | "settledUpTo" | "onError"
> {
  /**
   * What becomes of an event on which the clock or the fold throws, such as one without the number that is summed.
   * With `dead-letter` it is in no window, goes to the dead letter and is counted as `skipped`.
   *
   * @default "fail"
   */
  readonly onError?: "fail" | "dead-letter";
}

/** Rows of a closing window that leave in one go, so that closing a window of a million keys does not block the event loop. */
export const DEFAULT_PAGE_SIZE = 2_000;

interface WindowSpec<V> {
  readonly id: string;
  readonly windower: Windower;
  readonly clock: Clock<V>;
  readonly options: WindowOptions<V>;
}

/** Keyed events divided into windows. A fold says what one key's events in one window come to. */
export class WindowedStream<V> {
  readonly #graph: Graph;
  readonly #from: Port;
  readonly #ofKey: Division;
  readonly #spec: WindowSpec<V>;

  /** Comes from `KeyedStream.window`. */
  constructor(graph: Graph, from: Port, ofKey: Division, spec: WindowSpec<V>) {
    this.#graph = graph;
    this.#from = from;
    this.#ofKey = ofKey;
    this.#spec = spec;
  }

  /**
   * Folds each key's events of a window into one value.
   *
   * @param id the step is named `<window's id>.<id>`
   * @throws WindowOptionsError for options that contradict each other
   */
  fold<A, R>(id: string, fold: Fold<V, A, R>): WindowResults<V, R> {
    const { windower, clock, options } = this.#spec;
    const { onError: policy = "fail", ...kept } = options;
    const onError: "skip" | "fail" = policy === "dead-letter" ? "skip" : "fail";
    const engineOptions = { pageSize: DEFAULT_PAGE_SIZE, ...kept, onError, windower, clock, fold };
    // Building one now refuses a contradiction where it was written, and describes what the windows do.
    const explanation = createWindowEngine(engineOptions).explain();
    const step = `${this.#spec.id}.${id}`;
    this.#graph.add({
      id: step,
      operator: "window",
      account: "windows",
      hasWatermark: options.timeModel !== "perKey",
      inputs: [this.#from],
      ports: ["down", "late", "refused"],
      detail: explanation,
      state: `window ${stateSpecOf(engineOptions)} clock=${clock.kind}`,
      needsDrained: clock.kind === "event" && options.timeModel !== "perKey" && options.idle !== "never",
      role: {
        kind: "operator",
        build: (context, [late, refused]) => {
          const completeOf = (open: number, close: number): ReturnType<typeof context.completeness> =>
            context.completeness(open, close);
          const settledUpTo = (): number => context.settledUpTo();
          const maxKeys = engineOptions.maxKeys ?? context.maxKeys;
          const maxStateBytes = engineOptions.maxStateBytes ?? context.maxStateBytes;
          const room = { maxKeys, maxStateBytes };
          const engine = createWindowEngine({ ...engineOptions, ...room, completeOf, settledUpTo });
          const sides = { late: required(late), refused: required(refused) };
          return new WindowOperator<V, R>(context, engine, sides);
        },
      },
    });
    return windowResults<V, R>(this.#graph, step, divisionByKey(this.#ofKey));
  }

  /** Number of events. */
  count(id: string): WindowResults<V, number> {
    return this.fold(id, count());
  }

  /**
   * Several folds at once, one row with all their results: `{ events: count(), users: distinct((c) => c.user) }`.
   *
   * @param folds each under the name of its field
   */
  aggregate<S extends Aggregates<V>>(id: string, folds: S): WindowResults<V, Aggregated<S>> {
    return this.fold(id, aggregate<S, V>(folds));
  }

  /**
   * What `valueOf` makes of each event, combined two at a time; `combine` must be associative, and change neither of
   * its arguments. Values that are not JSON need a codec. A value larger than `maxBytes` (1 MiB) takes no more events in,
   * and the row's `overflow` says how many those were.
   */
  reduce<A>(
    id: string,
    valueOf: (value: V) => A & JsonLike<A>,
    combine: (a: A, b: A) => A,
    options?: OpaqueBounds,
  ): WindowResults<V, A>;
  reduce<A>(
    id: string,
    valueOf: (value: V) => A,
    combine: (a: A, b: A) => A,
    options: CodecOption<A> & OpaqueBounds,
  ): WindowResults<V, A>;
  reduce<A>(
    id: string,
    valueOf: (value: V) => A,
    combine: (a: A, b: A) => A,
    options: Partial<CodecOption<A>> & OpaqueBounds = {},
  ): WindowResults<V, A> {
    return this.fold(id, reduce(valueOf, combine, { ...options, codec: options.codec ?? jsonCodec() }));
  }

  /** Sum of what `valueOf` makes of each event: finite numbers, else the event is an error. */
  sum(id: string, valueOf: (value: V) => number): WindowResults<V, number> {
    return this.fold(id, sum(valueOf));
  }

  /** The least of what `valueOf` makes of each event: finite numbers, else the event is an error. */
  min(id: string, valueOf: (value: V) => number): WindowResults<V, number> {
    return this.fold(id, min(valueOf));
  }

  /** The greatest of what `valueOf` makes of each event: finite numbers, else the event is an error. */
  max(id: string, valueOf: (value: V) => number): WindowResults<V, number> {
    return this.fold(id, max(valueOf));
  }

  /** The mean of what `valueOf` makes of each event: finite numbers, else the event is an error. */
  mean(id: string, valueOf: (value: V) => number): WindowResults<V, number> {
    return this.fold(id, mean(valueOf));
  }

  /**
   * The number of different values that `valueOf` makes of the events, exactly: each is kept. Undefined = the event
   * has none. What is beyond the bound of a million is in the row's `overflow`.
   */
  distinct(
    id: string,
    valueOf: (value: V) => string | number | undefined,
    options?: DistinctOptions,
  ): WindowResults<V, number> {
    return this.fold(id, distinct(valueOf, options));
  }

  /**
   * The events themselves, as a list of 100,000 events and 256 KiB of JSON at most; what does not fit is in the row's
   * `overflow`. Events that are not JSON need a codec.
   */
  collect(id: string, ...options: CollectArguments<V>): WindowResults<V, readonly V[]>;
  collect(id: string, options: CollectBounds & Partial<CodecOption<V>> = {}): WindowResults<V, readonly V[]> {
    return this.fold(
      id,
      collectList((value: V) => value, { ...options, codec: options.codec ?? jsonCodec<V>() }),
    );
  }
}

/** What `collect` wants to know beside its id: a codec, where events are not JSON. */
type CollectArguments<V> = [V] extends [JsonLike<V>]
  ? [options?: CollectBounds & Partial<CodecOption<V>>]
  : [options: CollectBounds & CodecOption<V>];

/** The results of a windowed fold, with what did not get into them beside. */
export interface WindowResults<V, R> extends Stream<PartResult<R>> {
  /** Events that came after all their windows had closed. */
  readonly late: Stream<LateEvent<V>>;
  /** Events whose timestamp lies too far in the future, or is none. */
  readonly refused: Stream<RefusedEvent<V>>;
}

// Not a subclass: it would need the class Stream while the modules of streams, which use each other, still load.
function windowResults<V, R>(graph: Graph, node: string, division: Division): WindowResults<V, R> {
  return Object.assign(new Stream<PartResult<R>>(graph, { node, port: "down" }, division), {
    late: new Stream<LateEvent<V>>(graph, { node, port: "late" }, division),
    refused: new Stream<RefusedEvent<V>>(graph, { node, port: "refused" }, division),
  });
}
