import type { Operator, OperatorContext } from "./contracts/operator.ts";
import type { Decoder } from "./contracts/decoder.ts";
import { FlowError } from "./errors.ts";
import { KeyedStream } from "./keyed-stream.ts";
import { BranchOperator } from "./operators/branch-operator.ts";
import { DecodeOperator } from "./operators/decode-operator.ts";
import { DeduplicateOperator } from "./operators/deduplicate-operator.ts";
import type { DeduplicateOptions } from "./operators/deduplicate-operator.ts";
import type { StepOptions } from "./operators/error-policy.ts";
import type { AsyncFunction, MapAsyncOptions } from "./operators/map-async-operator.ts";
import {
  filterMapPass,
  filterPass,
  flatMapPass,
  inspectPass,
  keyByPass,
  mapPass,
} from "./operators/passes.ts";
import { required } from "./operators/required.ts";
import type { StepContext } from "./operators/step-context.ts";
import { StreamBase } from "./stream-base.ts";

/** A `keyBy` on a source that has several partitions. */
export interface KeyByOptions extends StepOptions {
  /**
   * The field that the key is taken from, where the key is given as a function: tells that it agrees with what the
   * source is partitioned by.
   */
  readonly field?: string;
  /** Take each partition's rows of a key as they are: they are partial, and rows should carry the partition. @default false */
  readonly perPartition?: boolean;
}

/** Names of the fields of `T` that hold strings. */
export type StringField<T> = { [F in keyof T & string]: T[F] extends string ? F : never }[keyof T & string];

/** An operator of the user's own: one live copy for each task. */
export type OperatorFactory<In, Out> = (context: OperatorContext) => Operator<In, Out>;

/** Events of one type on their way through a flow. Every method adds a step; nothing runs until `run(flow)`. */
export class Stream<T> extends StreamBase<T> {
  /** Payloads to events. A malformed payload is counted and goes to the flow's dead letter; a blank one is counted. */
  decode<U>(id: string, decoder: Decoder<T, U>): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.addOperator(id, "decode", (context) => new DecodeOperator(context, decoder)),
    );
  }

  /** One event for each event. */
  map<U>(id: string, fn: (event: T) => U, options?: StepOptions): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.addStateless(
        id,
        "map",
        "one-to-one",
        mapPass((event: T) => fn(event)),
        options,
      ),
    );
  }

  /** Only the events for which the predicate holds; a type guard narrows the stream. */
  filter<U extends T>(id: string, predicate: (event: T) => event is U, options?: StepOptions): Stream<U>;
  filter(id: string, predicate: (event: T) => boolean, options?: StepOptions): Stream<T>;
  filter(id: string, predicate: (event: T) => boolean, options?: StepOptions): Stream<T> {
    return new Stream<T>(
      this.graph,
      this.addStateless(
        id,
        "filter",
        "selection",
        filterPass((event: T) => predicate(event)),
        options,
      ),
    );
  }

  /** What the function makes of each event; nothing where it gives `undefined`. */
  filterMap<U>(id: string, fn: (event: T) => U | undefined, options?: StepOptions): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.addStateless(
        id,
        "filterMap",
        "selection",
        filterMapPass((event: T) => fn(event)),
        options,
      ),
    );
  }

  /** Any number of events for each event. */
  flatMap<U>(id: string, fn: (event: T) => Iterable<U>, options?: StepOptions): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.addStateless(
        id,
        "flatMap",
        "expansion",
        flatMapPass((event: T) => fn(event)),
        options,
      ),
    );
  }

  /** Looks at each event in passing. */
  inspect(id: string, look: (event: T) => void, options?: StepOptions): Stream<T> {
    return new Stream<T>(
      this.graph,
      this.addStateless(
        id,
        "inspect",
        "one-to-one",
        inspectPass((event: T) => {
          look(event);
        }),
        options,
        { mayEnd: true },
      ),
    );
  }

  /** Two streams: the events for which the predicate holds, and the others. A type guard types both. */
  branch<U extends T>(
    id: string,
    predicate: (event: T) => event is U,
    options?: StepOptions,
  ): { readonly yes: Stream<U>; readonly no: Stream<Exclude<T, U>> };
  branch(
    id: string,
    predicate: (event: T) => boolean,
    options?: StepOptions,
  ): { readonly yes: Stream<T>; readonly no: Stream<T> };
  branch(id: string, predicate: (event: T) => boolean, options?: StepOptions): object {
    this.addOperator(
      id,
      "branch",
      (context, [no]) =>
        new BranchOperator<T>(context, (event) => predicate(event), required(no), options?.onError),
      { ports: ["yes", "no"] },
    );
    return {
      yes: new Stream<T>(this.graph, { node: id, port: "yes" }),
      no: new Stream<T>(this.graph, { node: id, port: "no" }),
    };
  }

  /** The events of this stream and of the others. Order is kept within each, not between them. */
  merge<U>(id: string, ...others: readonly Stream<U>[]): Stream<T | U> {
    return new Stream<T | U>(this.graph, this.addMerge(id, others));
  }

  /**
   * Calls an async function for each event: bounded concurrency, order kept, none in flight across a commit.
   * The only place in a flow where a user's function may be async.
   */
  mapAsync<U>(id: string, fn: AsyncFunction<T, U>, options?: MapAsyncOptions): Stream<U> {
    return new Stream<U>(this.graph, this.addAsync(id, fn, options));
  }

  /**
   * Passes each id once: whatever repeats it within `withinMs` is dropped and counted.
   *
   * @throws WindowOptionsError for a bound that cannot be
   */
  deduplicate(id: string, idOf: (event: T) => string, options: DeduplicateOptions<T>): Stream<T> {
    const build = (context: StepContext): DeduplicateOperator<T> =>
      new DeduplicateOperator(context, idOf, options);
    return new Stream<T>(this.graph, this.addOperator(id, "deduplicate", build));
  }

  /**
   * Groups events by a string key: a field's name, or a function.
   *
   * @throws FlowError where the source's partitions are divided by something else, so that one key's rows would be
   *   spread over several tasks and look like one answer; `{ perPartition: true }` takes them as they are.
   */
  keyBy(id: string, key: StringField<T> | ((event: T) => string), options?: KeyByOptions): KeyedStream<T> {
    const field = typeof key === "string" ? key : options?.field;
    this.#checkPartitioning(id, field, options?.perPartition ?? false);
    const getter = typeof key === "string" ? (event: T): unknown => event[key] : key;
    const notes = field === undefined ? {} : { detail: field };
    return new KeyedStream<T>(
      this.graph,
      this.addStateless(id, "keyBy", "keys", keyByPass(getter), options, notes),
    );
  }

  /** An operator of your own. See `docs/write-an-operator.md`. */
  custom<U>(id: string, operator: OperatorFactory<T, U>): Stream<U> {
    return new Stream<U>(this.graph, this.addOperator(id, "custom", operator));
  }

  #checkPartitioning(id: string, field: string | undefined, perPartition: boolean): void {
    const { partitioning } = this.graph;
    if (partitioning.kind === "single" || perPartition) return;
    if (partitioning.kind === "by" && partitioning.field === field) return;
    const source =
      partitioning.kind === "by" ? `divided by ${partitioning.field}` : "divided by nothing that is declared";
    throw new FlowError(
      `flow "${this.graph.flow}", step "${id}": the key is ${field ?? "a function of the event"}, but the source's partitions are ${source}, so each would give a partial row for the same key; key by the partitioning field, or accept that with { perPartition: true }`,
    );
  }
}
