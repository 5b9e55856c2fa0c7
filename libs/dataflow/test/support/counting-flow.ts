import { Dataflow } from "@millrace/dataflow";
import type { Sink, Source, WindowOptions } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { systemTime, tumbling } from "@millrace/windowing";
import type { Clock, Windower } from "@millrace/windowing";

/** In what a flow differs from the one by default. */
export interface Shape {
  readonly windower?: Windower;
  readonly clock?: Clock<string>;
  readonly options?: WindowOptions<string>;
  readonly version?: number;
  readonly source?: Source<string>;
  readonly sink?: Sink<unknown>;
}

export const SECOND = tumbling(1_000);

/** Counts events in windows. */
export function counts(source: Source<string>, shape: Shape = {}): Dataflow {
  const { windower = SECOND, clock = systemTime(), options = {}, version = 1 } = shape;
  const flow = new Dataflow("counts", { version });
  flow
    .input("in", shape.source ?? source)
    .keyBy("all", () => "all")
    .window("w", windower, clock, options)
    .count("n")
    .output("out", shape.sink ?? new TestingSink());
  return flow;
}
