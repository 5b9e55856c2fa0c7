import type { Operator, OperatorContext } from "./contracts/operator.ts";
import type { Decoder } from "./contracts/decoder.ts";
import type { Division, KeepsOptions } from "./division.ts";
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
  /** The field whose value the key is, where the key is given as a function. */
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
      this.addOperator(id, "decode", (context) => new DecodeOperator(context, decoder), {
        account: "decode",
      }),
      this.division,
    );
  }

  /** One event for each event. */
  map<U>(id: string, fn: (event: T) => U, options?: StepOptions & KeepsOptions<U>): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.addStateless(
        id,
        "map",
        "one-to-one",
        mapPass((event: T) => fn(event)),
        options,
      ),
      this.divisionAfter(id, options?.keeps),
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
      this.division,
    );
  }

  /** What the function makes of each event; nothing where it gives `undefined`. */
  filterMap<U>(
    id: string,
    fn: (event: T) => U | undefined,
    options?: StepOptions & KeepsOptions<U>,
  ): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.addStateless(
        id,
        "filterMap",
        "selection",
        filterMapPass((event: T) => fn(event)),
        options,
      ),
      this.divisionAfter(id, options?.keeps),
    );
  }

  /** Any number of events for each event. */
  flatMap<U>(id: string, fn: (event: T) => Iterable<U>, options?: StepOptions & KeepsOptions<U>): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.addStateless(
        id,
        "flatMap",
        "expansion",
        flatMapPass((event: T) => fn(event)),
        options,
      ),
      this.divisionAfter(id, options?.keeps),
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
      this.division,
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
      yes: new Stream<T>(this.graph, { node: id, port: "yes" }, this.division),
      no: new Stream<T>(this.graph, { node: id, port: "no" }, this.division),
    };
  }

  /** The events of this stream and of the others. Order is kept within each, not between them. */
  merge<U>(id: string, ...others: readonly Stream<U>[]): Stream<T | U> {
    return new Stream<T | U>(this.graph, this.addMerge(id, others), this.divisionWith(others));
  }

  /**
   * Calls an async function for each event: bounded concurrency, order kept, none in flight across a commit.
   * The only place in a flow where a user's function may be async.
   */
  mapAsync<U>(id: string, fn: AsyncFunction<T, U>, options?: MapAsyncOptions & KeepsOptions<U>): Stream<U> {
    return new Stream<U>(this.graph, this.addAsync(id, fn, options), this.divisionAfter(id, options?.keeps));
  }

  /**
   * Passes each id once: whatever repeats it within `withinMs` is dropped and counted.
   *
   * @throws WindowOptionsError for a bound that cannot be
   */
  deduplicate(id: string, idOf: (event: T) => string, options: DeduplicateOptions<T>): Stream<T> {
    const build = (context: StepContext): DeduplicateOperator<T> =>
      new DeduplicateOperator(context, idOf, options);
    return new Stream<T>(
      this.graph,
      this.addOperator(id, "deduplicate", build, { state: "deduplicate" }),
      this.division,
    );
  }

  /**
   * Groups events by a string key: a field's name, or a function.
   *
   * @throws FlowError where the stream is not known to be divided between the source's partitions by that key, so that
   *   one key's rows could be spread over several tasks and look like one answer. `decode`, `filter`, `inspect`,
   *   `branch`, `deduplicate` and a `merge` of streams that agree keep what is known of the source; a step that makes
   *   new events keeps what its option `keeps` names. `{ perPartition: true }` takes partial rows as they are.
   */
  keyBy(id: string, key: StringField<T> | ((event: T) => string), options?: KeyByOptions): KeyedStream<T> {
    const field = typeof key === "string" ? key : options?.field;
    const ofKey = this.#divisionBy(id, field, options?.perPartition ?? false);
    const getter = typeof key === "string" ? (event: T): unknown => event[key] : key;
    const notes = field === undefined ? {} : { detail: field };
    return new KeyedStream<T>(
      this.graph,
      this.addStateless(
        id,
        "keyBy",
        "keys",
        keyByPass(getter, typeof key === "string" ? key : undefined),
        options,
        notes,
      ),
      this.division,
      ofKey,
    );
  }

  /** An operator of your own. See `docs/write-an-operator.md`. */
  custom<U>(id: string, operator: OperatorFactory<T, U>, options?: KeepsOptions<U>): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.addOperator(id, "custom", operator, { state: "custom" }),
      this.divisionAfter(id, options?.keeps),
    );
  }

  /** What is known of keys that are the value of `field`. @throws FlowError */
  #divisionBy(id: string, field: string | undefined, perPartition: boolean): Division {
    const known = this.division;
    if (known === "whole") return known;
    if (field !== undefined && known.includes(field)) return known;
    if (perPartition) return [];
    throw new FlowError(
      `flow "${this.graph.flow}", step "${id}": the key is ${field ?? "a function of the event"}, but the source's partitions are, as far as is known here, divided by ${known.length === 0 ? "nothing" : known.join(", ")}, so each partition would give a partial row for the same key; key by the field that divides them, let the step before that makes new events say { keeps: "<field>" }, or accept partial rows with { perPartition: true }`,
    );
  }
}
