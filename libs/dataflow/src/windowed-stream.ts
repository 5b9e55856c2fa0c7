import {
  collectList,
  count,
  createWindowEngine,
  distinct,
  max,
  mean,
  min,
  reduce,
  stateSpecOf,
  sum,
} from "@millrace/windowing";
import type {
  Clock,
  Fold,
  LateEvent,
  RefusedEvent,
  WindowEngineOptions,
  Windower,
} from "@millrace/windowing";
import { divisionByKey } from "./division.ts";
import type { Division } from "./division.ts";
import type { Graph, Port } from "./graph.ts";
import { required } from "./operators/required.ts";
import { tracedClock, tracedFold } from "./operators/traced.ts";
import type { Trace } from "./operators/traced.ts";
import type { PartResult } from "./operators/window-operator.ts";
import { WindowOperator } from "./operators/window-operator.ts";
import { Stream } from "./stream.ts";

/** How windows are kept: everything of the engine that does not depend on the fold. */
export type WindowOptions<V> = Omit<
  WindowEngineOptions<V, unknown, unknown>,
  "windower" | "clock" | "fold" | "completeOf" | "settledUpTo"
>;

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
    const engineOptions = { pageSize: DEFAULT_PAGE_SIZE, ...options, windower, clock, fold };
    // Building one now refuses a contradiction where it was written, and tells in words what the windows do.
    const explanation = createWindowEngine(engineOptions).explain();
    const step = `${this.#spec.id}.${id}`;
    this.#graph.add({
      id: step,
      operator: "window",
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
          const trace: Trace<V> = { value: undefined };
          const traced = { clock: tracedClock(clock, trace), fold: tracedFold(fold, trace) };
          const settledUpTo = (): number => context.settledUpTo();
          const engine = createWindowEngine({ ...engineOptions, ...traced, completeOf, settledUpTo });
          const sides = { late: required(late), refused: required(refused) };
          return new WindowOperator<V, R>(context, engine, trace, sides);
        },
      },
    });
    return windowResults<V, R>(this.#graph, step, divisionByKey(this.#ofKey));
  }

  /** Number of events. */
  count(id: string): WindowResults<V, number> {
    return this.fold(id, count());
  }

  /** What `valueOf` makes of each event, combined two at a time; `combine` must be associative. */
  reduce<A>(id: string, valueOf: (value: V) => A, combine: (a: A, b: A) => A): WindowResults<V, A> {
    return this.fold(id, reduce(valueOf, combine));
  }

  /** Sum of what `valueOf` makes of each event. */
  sum(id: string, valueOf: (value: V) => number): WindowResults<V, number> {
    return this.fold(id, sum(valueOf));
  }

  /** The least of what `valueOf` makes of each event. */
  min(id: string, valueOf: (value: V) => number): WindowResults<V, number> {
    return this.fold(id, min(valueOf));
  }

  /** The greatest of what `valueOf` makes of each event. */
  max(id: string, valueOf: (value: V) => number): WindowResults<V, number> {
    return this.fold(id, max(valueOf));
  }

  /** The mean of what `valueOf` makes of each event. */
  mean(id: string, valueOf: (value: V) => number): WindowResults<V, number> {
    return this.fold(id, mean(valueOf));
  }

  /** The number of different values that `valueOf` makes of the events, exactly: each is kept. */
  distinct(id: string, valueOf: (value: V) => string | number): WindowResults<V, number> {
    return this.fold(id, distinct(valueOf));
  }

  /** The events themselves, as a list. */
  collect(id: string): WindowResults<V, readonly V[]> {
    return this.fold(
      id,
      collectList((value: V) => value),
    );
  }
}

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
