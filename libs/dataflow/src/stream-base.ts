import type { Emitter, Operator } from "./contracts/operator.ts";
import type { Sink } from "./contracts/sink.ts";
import { divisionAfter, divisionOfAll } from "./division.ts";
import type { Division } from "./division.ts";
import { FlowError } from "./errors.ts";
import type { Graph, GraphNode, Port } from "./graph.ts";
import type { StepOptions } from "./operators/error-policy.ts";
import { MapAsyncOperator } from "./operators/map-async-operator.ts";
import type { AsyncFunction, MapAsyncOptions } from "./operators/map-async-operator.ts";
import { PassThroughOperator } from "./operators/pass-through-operator.ts";
import { StatelessOperator } from "./operators/stateless.ts";
import type { Pass, Shape } from "./operators/stateless.ts";
import type { StepContext } from "./operators/step-context.ts";

/** What a node may say beyond its operator. */
export type NodeNotes = Pick<GraphNode, "account" | "detail" | "mayEnd" | "state">;

/** What keyed and unkeyed streams share: a place in a graph, and how steps are added after it. */
export abstract class StreamBase<T> {
  protected readonly graph: Graph;
  protected readonly from: Port;
  /** How its events are divided between the source's partitions. */
  protected readonly division: Division;

  constructor(graph: Graph, from: Port, division: Division) {
    this.graph = graph;
    this.from = from;
    this.division = division;
  }

  /** Ends the stream in a sink. A stream may have several outputs. */
  output(id: string, sink: Sink<T>): void {
    this.graph.add({
      id,
      operator: "output",
      inputs: [this.from],
      ports: [],
      role: { kind: "output", sink },
    });
  }

  protected addOperator<U>(
    id: string,
    operator: string,
    build: (context: StepContext, sides: readonly Emitter<unknown>[]) => Operator<T, U>,
    notes: NodeNotes & { readonly ports?: readonly string[] } = {},
  ): Port {
    return this.graph.add({
      id,
      operator,
      inputs: [this.from],
      ports: ["down"],
      role: { kind: "operator", build },
      ...notes,
    });
  }

  protected addStateless<U>(
    id: string,
    operator: string,
    shape: Shape,
    pass: Pass<T, U>,
    options: StepOptions = {},
    notes: NodeNotes = {},
  ): Port {
    return this.addOperator(
      id,
      operator,
      (context) => new StatelessOperator(context, shape, pass, options.onError),
      notes,
    );
  }

  protected addAsync<U>(id: string, fn: AsyncFunction<T, U>, options?: MapAsyncOptions): Port {
    return this.graph.add({
      id,
      operator: "mapAsync",
      inputs: [this.from],
      ports: ["down"],
      role: { kind: "async", build: (context) => new MapAsyncOperator(context, fn, options) },
    });
  }

  /** What is known of the events that the step `id` makes of these. @throws FlowError */
  protected divisionAfter(id: string, keeps: string | undefined): Division {
    return divisionAfter(this.division, keeps, `flow "${this.graph.flow}", step "${id}"`);
  }

  /** What is known of the events of this stream and the others together. */
  protected divisionWith(others: readonly StreamBase<unknown>[]): Division {
    return divisionOfAll([this.division, ...others.map((other) => other.division)]);
  }

  protected addMerge(id: string, others: readonly StreamBase<unknown>[]): Port {
    for (const other of others) {
      if (other.graph === this.graph) continue;
      throw new FlowError(
        `flow "${this.graph.flow}", step "${id}": a stream of another flow ("${other.graph.flow}") cannot be merged in`,
      );
    }
    return this.graph.add({
      id,
      operator: "merge",
      inputs: [this.from, ...others.map((other) => other.from)],
      ports: ["down"],
      role: { kind: "operator", build: () => new PassThroughOperator<unknown>() },
    });
  }
}
