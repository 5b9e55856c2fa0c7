import type { DeadLetter } from "./contracts/decoder.ts";
import type { Sink } from "./contracts/sink.ts";
import type { Source } from "./contracts/source.ts";
import { divisionOf } from "./division.ts";
import { FlowError } from "./errors.ts";
import { Graph } from "./graph.ts";
import { Stream } from "./stream.ts";

/** Marks an object as a flow. It is the same symbol in each copy, if the package is installed twice. */
const DATAFLOW = Symbol.for("millrace.dataflow");

/** Whether a value is a {@link Dataflow}, of this copy of the package or of another one. */
export function isDataflow(value: unknown): value is Dataflow {
  return typeof value === "object" && value !== null && DATAFLOW in value;
}

/** Options of a flow as a whole. */
export interface DataflowOptions {
  /** Receives every payload that is not an event, with the reason. @default each is logged as a warning */
  readonly deadLetter?: Sink<DeadLetter>;
  /**
   * Part of the identity of stored state. Change it when all steps keep their ids but change their meaning: state of the old
   * version is then refused as a whole instead of misread. For a single step, raise the `version` of that step.
   *
   * @default 1
   */
  readonly version?: number;
}

/**
 * A typed graph from one source to any number of sinks. Building it reads and writes nothing; `run(flow)` does.
 *
 * @example
 * const flow = new Dataflow("mobile_counts");
 * flow
 *   .input("clicks", source)
 *   .decode(clickCodec)
 *   .keyBy("os_timezone")
 *   .window("per_5s", tumbling("5s"), systemTime())
 *   .reduce("mobile", (click) => Number(click.device_is_mobile), (a, b) => a + b)
 *   .output("out", new StdoutSink());
 */
export class Dataflow {
  /** Name of the flow in logs, metrics and stored state. */
  readonly id: string;
  readonly options: DataflowOptions;
  /** The steps; `describe(flow)` returns them as data. */
  readonly graph: Graph;
  readonly [DATAFLOW] = true;

  /** @throws FlowError for a malformed id, or a version that is no whole number */
  constructor(id: string, options: DataflowOptions = {}) {
    const { version = 1 } = options;
    if (!Number.isSafeInteger(version) || version < 0)
      throw new FlowError(`flow "${id}": version is ${version}, but must be a whole number from 0`);
    this.id = id;
    this.options = options;
    this.graph = new Graph(id);
  }

  /**
   * Reads a source. A flow has exactly one, since each of its partitions becomes a task.
   *
   * @throws FlowError for a second input
   */
  input<T>(id: string, source: Source<T>): Stream<T> {
    const first = this.graph.input;
    if (first !== undefined) {
      throw new FlowError(
        `flow "${this.id}", step "${id}": the flow already reads "${first.id}", and a flow has one input; combine the sources into one, or run two flows`,
      );
    }
    return new Stream<T>(
      this.graph,
      this.graph.add({ id, operator: "input", inputs: [], ports: ["down"], role: { kind: "input", source } }),
      { events: divisionOf(source.partitioning) },
    );
  }
}
