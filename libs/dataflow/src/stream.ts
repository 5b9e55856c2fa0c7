import type { Clock, JsonCodec, StateGroup, Windower } from "@millrace/windowing";
import type { Decoder } from "./contracts/decoder.ts";
import type { Emitter, Operator, OperatorContext } from "./contracts/operator.ts";
import type { Sink } from "./contracts/sink.ts";
import { divisionAfter, divisionBy, divisionByKey, divisionOfAll } from "./division.ts";
import type { Divided, KeepsOptions } from "./division.ts";
import { FlowError } from "./errors.ts";
import type { Graph, GraphNode, Port } from "./graph.ts";
import { isNamed, WindowedStream } from "./windowed-stream.ts";
import type { Named, WindowOptions } from "./windowed-stream.ts";
import { BranchOperator } from "./operators/branch-operator.ts";
import { collectLogic } from "./operators/collect-logic.ts";
import type { CollectOptions } from "./operators/collect-logic.ts";
import { DecodeOperator } from "./operators/decode-operator.ts";
import { DeduplicateOperator } from "./operators/deduplicate-operator.ts";
import type { DeduplicateOptions } from "./operators/deduplicate-operator.ts";
import type { StepOptions } from "./operators/error-policy.ts";
import { MapAsyncOperator } from "./operators/map-async-operator.ts";
import type { AsyncFunction, MapAsyncOptions } from "./operators/map-async-operator.ts";
import {
  filterMapPass,
  filterPass,
  flatMapPass,
  inspectPass,
  keyByPass,
  mapPass,
  PassThroughOperator,
} from "./operators/passes.ts";
import type { Keyed } from "./operators/passes.ts";
import { required } from "./operators/step-context.ts";
import { formerIds, keyedPastOf, keyedStateOf } from "./operators/keyed-state.ts";
import type { KeyedStateOptions } from "./operators/keyed-state.ts";
import { StatefulOperator } from "./operators/stateful-operator.ts";
import type { KeyedLogic, StatefulOptions } from "./operators/stateful-operator.ts";
import { StatelessOperator } from "./operators/stateless.ts";
import type { PartResult } from "./operators/window-operator.ts";
import type { Pass, Shape } from "./operators/stateless.ts";
import type { StepContext } from "./operators/step-context.ts";

/** Options of `keyBy` on a source with several partitions. */
export interface KeyByOptions extends StepOptions {
  /** The field whose value the key is, if the key is given as a function. */
  readonly field?: string;
  /** Accept partial rows: each partition emits its own row of a key, and rows should name the partition. @default false */
  readonly perPartition?: boolean;
}

/** Creates a user's own operator: one live copy for each task. */
export type OperatorFactory<In, Out> = (context: OperatorContext) => Operator<In, Out>;

/** The key of a stream's events; `undefined`: they have none. */
export type Key = string | undefined;

/** What a keyed step requires: on a stream without keys it does not compile. */
export type WithKey<K extends Key> = [K] extends [string]
  ? unknown
  : { readonly "this stream has no keys: call keyBy before": never };

/** The two streams of a `branch`. */
export interface Branches<Yes, No> {
  readonly yes: Yes;
  readonly no: No;
}

/** A stream of these events, with such keys. */
type Streams<U extends readonly unknown[], K extends Key> = { readonly [I in keyof U]: Stream<U[I], K> };

/** Names of the fields of `T` that hold strings or numbers. */
type KeyField<T> = { [F in keyof T & string]: T[F] extends string | number ? F : never }[keyof T & string];

/** How an event gets its key: the name of a field, or a function. */
export type KeyOf<T> = KeyField<T> | ((event: T) => string | number);

/** What a node may state beyond its operator. */
type NodeNotes = Pick<GraphNode, "decodes" | "detail" | "keepsText" | "mayEnd" | "state" | "past">;

/**
 * Events of one type on their way through a flow. Every method adds a step; nothing runs until `run(flow)`.
 *
 * A step's name identifies it in logs, metrics and the graph. It is optional for steps without state: such a step is
 * named after its operator, `map`, and the next ones `map_2`, `map_3`, in the order in which they are added.
 *
 * @typeParam T the events
 * @typeParam K `string` after `keyBy`, and after windows: each event has a key. Steps keep the key until
 *   {@link Stream.keyBy} replaces it or {@link Stream.dropKey} removes it. `undefined`: the events have none
 */
export class Stream<T, K extends Key = undefined> {
  readonly #graph: Graph;
  readonly #from: Port;
  readonly #divided: Divided;

  /** Called by `Dataflow.input` and by the steps of a stream. */
  constructor(graph: Graph, from: Port, divided: Divided) {
    this.#graph = graph;
    this.#from = from;
    this.#divided = divided;
  }

  /** Decodes payloads. A malformed payload is counted and goes to the flow's dead letter; a blank one is counted. */
  decode<U>(decoder: Decoder<T, U>): Stream<U, K>;
  decode<U>(id: string, decoder: Decoder<T, U>): Stream<U, K>;
  decode<U>(...given: Named<[decoder: Decoder<T, U>]>): Stream<U, K> {
    const [id, decoder] = this.#named("decode", given);
    const { keepsText } = decoder;
    const notes = { decodes: true, ...(keepsText === undefined ? {} : { keepsText }) };
    return this.#same<U>(this.#add(id, "decode", (context) => new DecodeOperator(context, decoder), notes));
  }

  /** One event for each event. */
  map<U>(fn: (event: T, key: K) => U, options?: StepOptions & KeepsOptions<U>): Stream<U, K>;
  map<U>(id: string, fn: (event: T, key: K) => U, options?: StepOptions & KeepsOptions<U>): Stream<U, K>;
  map<U>(
    ...given: Named<[fn: (event: T, key: K) => U, options?: (StepOptions & KeepsOptions<U>) | undefined]>
  ): Stream<U, K> {
    const [id, fn, options] = this.#named("map", given);
    const port = this.#addStateless(id, "map", "one-to-one", mapPass(this.#keyed(fn)), options);
    return this.#made<U>(port, options?.keeps);
  }

  /**
   * Another value for each result of a window. Key, window, revision, cause and completeness stay, so a sink for results
   * takes what comes out.
   */
  mapValue<R, S>(
    this: Stream<PartResult<R>, K>,
    fn: (value: R, result: PartResult<R>) => S,
    options?: StepOptions,
  ): Stream<PartResult<S>, K>;
  mapValue<R, S>(
    this: Stream<PartResult<R>, K>,
    id: string,
    fn: (value: R, result: PartResult<R>) => S,
    options?: StepOptions,
  ): Stream<PartResult<S>, K>;
  mapValue<R, S>(
    this: Stream<PartResult<R>, K>,
    ...given: Named<[fn: (value: R, result: PartResult<R>) => S, options?: StepOptions | undefined]>
  ): Stream<PartResult<S>, K> {
    const [id, fn, options] = this.#named("mapValue", given);
    const pass = mapPass((result: PartResult<R>): PartResult<S> => {
      const { value, previous, ...rest } = result;
      const mapped = { ...rest, value: fn(value, result) };
      return previous === undefined ? mapped : { ...mapped, previous: fn(previous, result) };
    });
    return this.#same<PartResult<S>>(this.#addStateless(id, "mapValue", "one-to-one", pass, options));
  }

  /** Only the events for which the predicate holds; a type guard narrows the stream. */
  filter<U extends T>(predicate: (event: T, key: K) => event is U, options?: StepOptions): Stream<U, K>;
  filter<U extends T>(
    id: string,
    predicate: (event: T, key: K) => event is U,
    options?: StepOptions,
  ): Stream<U, K>;
  filter(predicate: (event: T, key: K) => boolean, options?: StepOptions): Stream<T, K>;
  filter(id: string, predicate: (event: T, key: K) => boolean, options?: StepOptions): Stream<T, K>;
  filter(
    ...given: Named<[predicate: (event: T, key: K) => boolean, options?: StepOptions | undefined]>
  ): Stream<T, K> {
    const [id, predicate, options] = this.#named("filter", given);
    const pass = filterPass(this.#keyed(predicate));
    return this.#same(this.#addStateless(id, "filter", "selection", pass, options));
  }

  /** The function's result for each event; none for `undefined`. */
  filterMap<U>(
    fn: (event: T, key: K) => U | undefined,
    options?: StepOptions & KeepsOptions<U>,
  ): Stream<U, K>;
  filterMap<U>(
    id: string,
    fn: (event: T, key: K) => U | undefined,
    options?: StepOptions & KeepsOptions<U>,
  ): Stream<U, K>;
  filterMap<U>(
    ...given: Named<
      [fn: (event: T, key: K) => U | undefined, options?: (StepOptions & KeepsOptions<U>) | undefined]
    >
  ): Stream<U, K> {
    const [id, fn, options] = this.#named("filterMap", given);
    const port = this.#addStateless(id, "filterMap", "selection", filterMapPass(this.#keyed(fn)), options);
    return this.#made<U>(port, options?.keeps);
  }

  /** Any number of events for each event. */
  flatMap<U>(fn: (event: T, key: K) => Iterable<U>, options?: StepOptions & KeepsOptions<U>): Stream<U, K>;
  flatMap<U>(
    id: string,
    fn: (event: T, key: K) => Iterable<U>,
    options?: StepOptions & KeepsOptions<U>,
  ): Stream<U, K>;
  flatMap<U>(
    ...given: Named<
      [fn: (event: T, key: K) => Iterable<U>, options?: (StepOptions & KeepsOptions<U>) | undefined]
    >
  ): Stream<U, K> {
    const [id, fn, options] = this.#named("flatMap", given);
    const port = this.#addStateless(id, "flatMap", "expansion", flatMapPass(this.#keyed(fn)), options);
    return this.#made<U>(port, options?.keeps);
  }

  /** Calls a function with each event; the events stay as they are. */
  inspect(look: (event: T, key: K) => void, options?: StepOptions): Stream<T, K>;
  inspect(id: string, look: (event: T, key: K) => void, options?: StepOptions): Stream<T, K>;
  inspect(
    ...given: Named<[look: (event: T, key: K) => void, options?: StepOptions | undefined]>
  ): Stream<T, K> {
    const [id, look, options] = this.#named("inspect", given);
    const pass = inspectPass(this.#keyed(look));
    return this.#same(this.#addStateless(id, "inspect", "one-to-one", pass, options, { mayEnd: true }));
  }

  /** Two streams: the events for which the predicate holds, and the others. A type guard narrows both. */
  branch<U extends T>(
    predicate: (event: T, key: K) => event is U,
    options?: StepOptions,
  ): Branches<Stream<U, K>, Stream<Exclude<T, U>, K>>;
  branch<U extends T>(
    id: string,
    predicate: (event: T, key: K) => event is U,
    options?: StepOptions,
  ): Branches<Stream<U, K>, Stream<Exclude<T, U>, K>>;
  branch(
    predicate: (event: T, key: K) => boolean,
    options?: StepOptions,
  ): Branches<Stream<T, K>, Stream<T, K>>;
  branch(
    id: string,
    predicate: (event: T, key: K) => boolean,
    options?: StepOptions,
  ): Branches<Stream<T, K>, Stream<T, K>>;
  branch(
    ...given: Named<[predicate: (event: T, key: K) => boolean, options?: StepOptions | undefined]>
  ): Branches<unknown, unknown> {
    const [id, predicate, options] = this.#named("branch", given);
    const test = this.#keyed(predicate);
    const { node } = this.#add<T>(
      id,
      "branch",
      (context, [no]) => new BranchOperator<T>(context, test, required(no), options?.onError),
      { ports: ["yes", "no"] },
    );
    return { yes: this.#same({ node, port: "yes" }), no: this.#same({ node, port: "no" }) };
  }

  /**
   * The events of this stream and of the others, which all have keys or all have none. Order is kept within each stream,
   * not between them.
   *
   * @throws FlowError for a stream of another flow
   */
  merge<U extends readonly unknown[]>(...others: Streams<U, K>): Stream<T | U[number], K>;
  merge<U extends readonly unknown[]>(id: string, ...others: Streams<U, K>): Stream<T | U[number], K>;
  merge(...given: Named<readonly Stream<unknown, K>[]>): Stream<unknown, K> {
    const [id, ...others] = this.#named("merge", given);
    for (const other of others) {
      if (other.#graph === this.#graph) continue;
      const { flow } = other.#graph;
      throw new FlowError(`${this.#step(id)}: a stream of another flow ("${flow}") cannot be merged`);
    }
    const port = this.#graph.add({
      id,
      operator: "merge",
      inputs: [this.#from, ...others.map((other) => other.#from)],
      ports: ["down"],
      role: { kind: "operator", build: () => new PassThroughOperator<unknown>() },
    });
    const all = [this.#divided, ...others.map((other) => other.#divided)];
    return new Stream<unknown, K>(this.#graph, port, {
      events: divisionOfAll(all.map(({ events }) => events)),
      ...(this.#divided.keys && { keys: divisionOfAll(all.map(({ keys = [] }) => keys)) }),
    });
  }

  /**
   * Calls an async function for each event: bounded concurrency, order kept, no call in-flight across a commit.
   * No other step of a flow accepts an async function.
   */
  mapAsync<U>(fn: AsyncFunction<T, U, K>, options?: MapAsyncOptions & KeepsOptions<U>): Stream<U, K>;
  mapAsync<U>(
    id: string,
    fn: AsyncFunction<T, U, K>,
    options?: MapAsyncOptions & KeepsOptions<U>,
  ): Stream<U, K>;
  mapAsync<U>(
    ...given: Named<[fn: AsyncFunction<T, U, K>, options?: (MapAsyncOptions & KeepsOptions<U>) | undefined]>
  ): Stream<U, K> {
    const [id, fn, options] = this.#named("mapAsync", given);
    const keyed = this.#divided.keys !== undefined;
    const port = this.#graph.add({
      id,
      operator: "mapAsync",
      inputs: [this.#from],
      ports: ["down"],
      role: { kind: "async", build: (context) => new MapAsyncOperator<T, U, K>(context, fn, keyed, options) },
    });
    return this.#made<U>(port, options?.keeps);
  }

  /**
   * Passes each id once: a duplicate within `within` is dropped and counted.
   *
   * @throws WindowOptionsError for a bound that is out of range
   */
  deduplicate(id: string, idOf: (event: T) => string, options: DeduplicateOptions<T>): Stream<T, K> {
    const build = (context: StepContext): DeduplicateOperator<T> =>
      new DeduplicateOperator(context, idOf, options);
    const past = formerIds(options.formerly);
    return this.#same(this.#add(id, "deduplicate", build, { state: "deduplicate", past }));
  }

  /**
   * Groups events by a key: a field's name, or a function. Keys are strings; a number becomes its JSON text, so that 7
   * and "7" are one key. It replaces an earlier key of the events.
   *
   * @throws FlowError if the stream is not known to be divided between the source's partitions by that key: rows of one
   *   key could then be spread over several tasks and look like one answer. `decode`, `filter`, `inspect`, `branch`,
   *   `deduplicate` and a `merge` of streams that agree keep the division of the source; a step that makes new events
   *   keeps what its option `keeps` names. `{ perPartition: true }` accepts partial rows.
   */
  keyBy(key: KeyOf<T>, options?: KeyByOptions): Stream<T, string>;
  keyBy(id: string, key: KeyOf<T>, options?: KeyByOptions): Stream<T, string>;
  keyBy(...given: KeyByArguments<T>): Stream<T, string> {
    const [id, key, options] = isNamedKey(given) ? given : [this.#graph.nameFor("keyBy"), ...given];
    const name = typeof key === "string" ? key : undefined;
    const field = name ?? options?.field;
    const { events } = this.#divided;
    const keys = divisionBy(events, field, options?.perPartition ?? false, this.#step(id));
    const getter = typeof key === "string" ? (event: T): unknown => event[key] : key;
    const notes = field === undefined ? {} : { detail: field };
    const port = this.#addStateless(id, "keyBy", "keys", keyByPass(getter, name), options, notes);
    return new Stream<T, string>(this.#graph, port, { events, keys });
  }

  /** A user's own operator. On a keyed stream its batches must have keys. See `docs/write-an-operator.md`. */
  custom<U>(
    id: string,
    operator: OperatorFactory<T, U>,
    options?: KeepsOptions<U> & CustomStateOptions,
  ): Stream<U, K> {
    const port = this.#add<U>(id, "custom", operator, customStateOf(id, options));
    const events = divisionAfter(this.#divided.events, options?.keeps, this.#step(id));
    const { keys } = this.#divided;
    if (keys === undefined) return new Stream<U, K>(this.#graph, port, { events });
    // It may emit other keys than those that it received.
    return new Stream<U, K>(this.#graph, port, { events, keys: keys === "whole" ? "whole" : [] });
  }

  /** Sends the stream to a sink. A stream may have several outputs. */
  output(id: string, sink: Sink<T>): void {
    const inputs = [this.#from];
    this.#graph.add({ id, operator: "output", inputs, ports: [], role: { kind: "output", sink } });
  }

  /** The events without their keys. Not a step: nothing happens at run time. */
  dropKey(): Stream<T> {
    return new Stream<T>(this.#graph, this.#from, { events: this.#divided.events });
  }

  /**
   * Divides the events into windows, by key. The windows of one call may have several folds.
   *
   * @param id names the windows; the step of a fold is named `<id>.<fold's id>`, or `<id>` for a fold without a name
   */
  window(
    this: WithKey<K>,
    id: string,
    windower: Windower,
    clock: Clock<T>,
    options?: WindowOptions<T>,
  ): WindowedStream<T>;
  window(id: string, windower: Windower, clock: Clock<T>, options: WindowOptions<T> = {}): WindowedStream<T> {
    const graph = this.#graph;
    const { keys = [] } = this.#divided;
    const divided: Divided = { events: divisionByKey(keys), keys };
    const streamAt = <U>(port: Port): Stream<U, string> => new Stream<U, string>(graph, port, divided);
    return new WindowedStream<T>(graph, this.#from, { id, windower, clock, options }, streamAt);
  }

  /**
   * One event for each event, from it and the key's state.
   *
   * @param create returns the state of a new or forgotten key. If the state is mutable, return a new one each time
   * @param fn gets the state and returns the next one (`undefined` forgets the key) and the output
   * @example statefulMap("total", () => 0, (total, order) => [total + order.amount, { ...order, total }])
   */
  statefulMap<S, U>(
    this: WithKey<K>,
    id: string,
    create: () => S,
    fn: (state: S, value: T, key: string) => readonly [state: S | undefined, out: U],
    options?: StatefulOptions & KeyedStateOptions<S> & KeepsOptions<U> & { readonly codec?: JsonCodec<S> },
  ): Stream<U, K>;
  statefulMap<S, U>(
    id: string,
    create: () => S,
    fn: (state: S, value: T, key: string) => readonly [state: S | undefined, out: U],
    {
      codec,
      ...options
    }: StatefulOptions & KeyedStateOptions<S> & KeepsOptions<U> & { readonly codec?: JsonCodec<S> } = {},
  ): Stream<U, K> {
    const logic: KeyedLogic<T, S, U> = {
      create,
      onEvent(state, value, { key }) {
        const [next, out] = fn(state, value, key);
        return { state: next, out: [out] };
      },
      ...(codec === undefined ? {} : { codec }),
    };
    return this.#addStateful(id, logic, options);
  }

  /** Any number of events for each event, from it and the key's state; it may request a call at a later time. */
  statefulFlatMap<S, U>(
    this: WithKey<K>,
    id: string,
    logic: KeyedLogic<T, S, U>,
    options?: StatefulOptions & KeyedStateOptions<S> & KeepsOptions<U>,
  ): Stream<U, K>;
  statefulFlatMap<S, U>(
    id: string,
    logic: KeyedLogic<T, S, U>,
    options?: StatefulOptions & KeyedStateOptions<S> & KeepsOptions<U>,
  ): Stream<U, K> {
    return this.#addStateful(id, logic, options);
  }

  /** Collects each key's values into lists, emitted when full or when no value was added for a while. */
  collect(this: WithKey<K>, id: string, options: CollectOptions): Stream<readonly T[], K>;
  collect(id: string, options: CollectOptions): Stream<readonly T[], K> {
    // A list has a bound of its own.
    return this.#addStateful(id, collectLogic<T>(id, options), {
      maxBytes: Infinity,
      ...formerIds(options.formerly),
    });
  }

  #addStateful<S, U>(
    id: string,
    logic: KeyedLogic<T, S, U>,
    options: StatefulOptions & KeyedStateOptions<S> & KeepsOptions<U> = {},
  ): Stream<U, K> {
    const port = this.#add<U>(
      id,
      "stateful",
      (context) => new StatefulOperator<T, S, U>(context, logic, options),
      { state: keyedStateOf(options), past: keyedPastOf(id, options, logic.codec) },
    );
    return this.#made<U>(port, options.keeps);
  }

  #addStateless<U>(
    id: string,
    operator: string,
    shape: Shape,
    pass: Pass<T, U>,
    options: StepOptions = {},
    notes: NodeNotes = {},
  ): Port {
    const build = (context: StepContext): Operator<T, U> =>
      new StatelessOperator(context, shape, pass, options.onError);
    return this.#add(id, operator, build, notes);
  }

  #add<U>(
    id: string,
    operator: string,
    build: (context: StepContext, sides: readonly Emitter<unknown>[]) => Operator<T, U>,
    notes: NodeNotes & { readonly ports?: readonly string[] } = {},
  ): Port {
    const role = { kind: "operator", build } as const;
    return this.#graph.add({ id, operator, inputs: [this.#from], ports: ["down"], role, ...notes });
  }

  /**
   * A function of the event and its key, as steps call it. On a stream without keys it gets none, though batches may
   * have some that `dropKey` ignores. The key's type follows from the stream's, which the compiler cannot check here.
   */
  #keyed<R>(fn: (event: T, key: K) => R): Keyed<T, R> {
    return this.#divided.keys === undefined
      ? (event) => fn(event, undefined as K)
      : (fn as (event: T, key: Key) => R);
  }

  /** The stream after a step that does not change the events. */
  #same<U>(port: Port): Stream<U, K> {
    return new Stream<U, K>(this.#graph, port, this.#divided);
  }

  /** The stream after a step that makes new events with the same keys. */
  #made<U>(port: Port, keeps: string | undefined): Stream<U, K> {
    const events = divisionAfter(this.#divided.events, keeps, this.#step(port.node));
    return new Stream<U, K>(this.#graph, port, { ...this.#divided, events });
  }

  #named<A extends readonly unknown[]>(operator: string, given: Named<A>): readonly [id: string, ...rest: A] {
    return isNamed(given) ? given : [this.#graph.nameFor(operator), ...given];
  }

  #step(id: string): string {
    return `flow "${this.#graph.flow}", step "${id}"`;
  }
}

/** How an operator of a user's own continues from what its earlier versions stored. */
export interface CustomStateOptions {
  /** Version of its state: stored state of another version is refused, unless `migrate` accepts it, which gets only lower ones. @default 1 */
  readonly version?: number;
  /** Makes the groups that the operator's `restore` takes of those that another version stored. */
  readonly migrate?: (groups: readonly StateGroup[], version: number) => readonly StateGroup[];
  /** The ids that the step had before, the latest first: it continues with that state. @default none */
  readonly formerly?: string | readonly string[];
}

const CUSTOM = /^custom(?: v(\d+))?$/;

function customStateOf(
  step: string,
  { version = 1, migrate, formerly }: CustomStateOptions = {},
): Required<Pick<NodeNotes, "state" | "past">> {
  if (!Number.isSafeInteger(version) || version < 1)
    throw new FlowError(`step "${step}": version is ${version}, but must be a whole number from 1`);
  return {
    state: version === 1 ? "custom" : `custom v${version}`,
    past: {
      ...formerIds(formerly),
      migrationFrom(kept) {
        const description = CUSTOM.exec(kept);
        const stored = Number(description?.[1] ?? 1);
        if (migrate === undefined || description === null || stored >= version) return undefined;
        return (groups) => migrate(groups, stored);
      },
    },
  };
}

/** Arguments of `keyBy`: a single string is a field, the first of two is the step's name. */
type KeyByArguments<T> =
  | [key: KeyOf<T>, options?: KeyByOptions | undefined]
  | [id: string, key: KeyOf<T>, options?: KeyByOptions | undefined];

function isNamedKey<T>(
  given: KeyByArguments<T>,
): given is [id: string, key: KeyOf<T>, options?: KeyByOptions | undefined] {
  return typeof given[1] === "string" || typeof given[1] === "function";
}
