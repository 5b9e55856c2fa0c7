import type { Clock, JsonCodec, Windower } from "@millrace/windowing";
import type { Operator } from "./contracts/operator.ts";
import { divisionOfAll } from "./division.ts";
import type { Division, KeepsOptions } from "./division.ts";
import type { Graph, Port } from "./graph.ts";
import { BranchOperator } from "./operators/branch-operator.ts";
import { collectLogic } from "./operators/collect-logic.ts";
import type { CollectOptions } from "./operators/collect-logic.ts";
import { DeduplicateOperator } from "./operators/deduplicate-operator.ts";
import type { DeduplicateOptions } from "./operators/deduplicate-operator.ts";
import type { StepOptions } from "./operators/error-policy.ts";
import type { AsyncFunction, MapAsyncOptions } from "./operators/map-async-operator.ts";
import { filterPass, flatMapPass, inspectPass, mapPass } from "./operators/passes.ts";
import { required } from "./operators/required.ts";
import { StatefulOperator } from "./operators/stateful-operator.ts";
import type { StatefulOptions } from "./operators/stateful-operator.ts";
import type { KeyedLogic } from "./operators/stateful-operator.ts";
import type { StepContext } from "./operators/step-context.ts";
import { StreamBase } from "./stream-base.ts";
import { Stream } from "./stream.ts";
import type { OperatorFactory } from "./stream.ts";
import { WindowedStream } from "./windowed-stream.ts";
import type { WindowOptions } from "./windowed-stream.ts";

/** Events that each carry a string key. Steps keep the key until {@link KeyedStream.dropKey}. */
export class KeyedStream<V> extends StreamBase<V> {
  /** How the keys are divided between the source's partitions. */
  readonly #ofKey: Division;

  constructor(graph: Graph, from: Port, division: Division, ofKey: Division) {
    super(graph, from, division);
    this.#ofKey = ofKey;
  }

  /** Another value under the same key. */
  mapValues<U>(
    id: string,
    fn: (value: V, key: string) => U,
    options?: StepOptions & KeepsOptions<U>,
  ): KeyedStream<U> {
    const port = this.addStateless(id, "mapValues", "one-to-one", mapPass(fn), options);
    return this.#made<U>(port, options?.keeps);
  }

  /** Only the values for which the predicate holds; a type guard narrows the stream. */
  filter<U extends V>(
    id: string,
    predicate: (value: V, key: string) => value is U,
    options?: StepOptions,
  ): KeyedStream<U>;
  filter(id: string, predicate: (value: V, key: string) => boolean, options?: StepOptions): KeyedStream<V>;
  filter(id: string, predicate: (value: V, key: string) => boolean, options?: StepOptions): KeyedStream<V> {
    return this.#same(this.addStateless(id, "filter", "selection", filterPass(predicate), options));
  }

  /** Any number of values under the same key. */
  flatMapValues<U>(
    id: string,
    fn: (value: V, key: string) => Iterable<U>,
    options?: StepOptions & KeepsOptions<U>,
  ): KeyedStream<U> {
    const port = this.addStateless(id, "flatMapValues", "expansion", flatMapPass(fn), options);
    return this.#made<U>(port, options?.keeps);
  }

  /** Looks at each value in passing. */
  inspect(id: string, look: (value: V, key: string) => void, options?: StepOptions): KeyedStream<V> {
    return this.#same(
      this.addStateless(id, "inspect", "one-to-one", inspectPass(look), options, { mayEnd: true }),
    );
  }

  /** Two keyed streams: the values for which the predicate holds, and the others. */
  branch(
    id: string,
    predicate: (value: V, key: string) => boolean,
    options?: StepOptions,
  ): { readonly yes: KeyedStream<V>; readonly no: KeyedStream<V> } {
    this.addOperator(
      id,
      "branch",
      (context, [no]): Operator<V, V> =>
        new BranchOperator<V>(context, predicate, required(no), options?.onError),
      { ports: ["yes", "no"] },
    );
    return {
      yes: this.#same({ node: id, port: "yes" }),
      no: this.#same({ node: id, port: "no" }),
    };
  }

  /** The values of this stream and of the others, each under its key. */
  merge<U>(id: string, ...others: readonly KeyedStream<U>[]): KeyedStream<V | U> {
    return new KeyedStream<V | U>(
      this.graph,
      this.addMerge(id, others),
      this.divisionWith(others),
      divisionOfAll([this.#ofKey, ...others.map((other) => other.#ofKey)]),
    );
  }

  /** Calls an async function for each value: bounded concurrency, order kept, none in flight across a commit. */
  mapAsync<U>(
    id: string,
    fn: AsyncFunction<V, U>,
    options?: MapAsyncOptions & KeepsOptions<U>,
  ): KeyedStream<U> {
    return this.#made<U>(this.addAsync(id, fn, options), options?.keeps);
  }

  /**
   * Divides the values into windows, by key. The windows of one call may be folded in several ways.
   *
   * @param id names the windows; the step of a fold is named `<id>.<fold's id>`
   */
  window(id: string, windower: Windower, clock: Clock<V>, options: WindowOptions<V> = {}): WindowedStream<V> {
    return new WindowedStream<V>(this.graph, this.from, this.#ofKey, { id, windower, clock, options });
  }

  /**
   * One event for each event, from it and the key's state.
   *
   * @param fn gets the state (`undefined` for a new key) and gives the next one (`undefined` forgets the key) with
   *   what comes out
   */
  statefulMap<S, U>(
    id: string,
    fn: (state: S | undefined, value: V, key: string) => readonly [state: S | undefined, out: U],
    { codec, ...options }: StatefulOptions & KeepsOptions<U> & { readonly codec?: JsonCodec<S> } = {},
  ): KeyedStream<U> {
    const logic: KeyedLogic<V, S, U> = {
      onEvent(state, value, { key }) {
        const [next, out] = fn(state, value, key);
        return { state: next, out: [out] };
      },
      ...(codec === undefined ? {} : { codec }),
    };
    return this.statefulFlatMap<S, U>(id, logic, options);
  }

  /** Any number of events for each event, from it and the key's state; may ask to be called again at a later time. */
  statefulFlatMap<S, U>(
    id: string,
    logic: KeyedLogic<V, S, U>,
    options?: StatefulOptions & KeepsOptions<U>,
  ): KeyedStream<U> {
    const port = this.addOperator(
      id,
      "stateful",
      (context) => new StatefulOperator<V, S, U>(context, logic, options),
      { state: "stateful" },
    );
    return this.#made<U>(port, options?.keeps);
  }

  /** Lists of each key's values, given out when full or when nothing was added for a while. */
  collect(id: string, options: CollectOptions): KeyedStream<readonly V[]> {
    // A list has a bound of its own.
    return this.statefulFlatMap(id, collectLogic<V>(id, options), { maxBytes: Infinity });
  }

  /** Passes each id once: whatever repeats it within `within` is dropped and counted. */
  deduplicate(id: string, idOf: (value: V) => string, options: DeduplicateOptions<V>): KeyedStream<V> {
    const build = (context: StepContext): DeduplicateOperator<V> =>
      new DeduplicateOperator(context, idOf, options);
    return this.#same(this.addOperator(id, "deduplicate", build, { state: "deduplicate" }));
  }

  /** A keyed operator of your own; it keeps the keys of the batches that it emits. */
  custom<U>(id: string, operator: OperatorFactory<V, U>, options?: KeepsOptions<U>): KeyedStream<U> {
    return new KeyedStream<U>(
      this.graph,
      this.addOperator(id, "custom", operator, { state: "custom" }),
      this.divisionAfter(id, options?.keeps),
      // It may have emitted other keys than those that came.
      this.#ofKey === "whole" ? "whole" : [],
    );
  }

  /** The values without their keys. Not a step: nothing is done at run time. */
  dropKey(): Stream<V> {
    return new Stream<V>(this.graph, this.from, this.division);
  }

  /** The stream after a step that keeps the values as they are. */
  #same<U>(port: Port): KeyedStream<U> {
    return new KeyedStream<U>(this.graph, port, this.division, this.#ofKey);
  }

  /** The stream after a step that makes new values under the same keys. */
  #made<U>(port: Port, keeps: string | undefined): KeyedStream<U> {
    return new KeyedStream<U>(this.graph, port, this.divisionAfter(port.node, keeps), this.#ofKey);
  }
}
