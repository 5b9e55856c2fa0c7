import { Dataflow, IterableSource, run } from "@millrace/dataflow";
import type { DataflowOptions, FlowStats, Key, RunOptions, Stream } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";

/** Runs a chain of steps over a list, in the real runtime, and gives what comes out. */
export async function collectRows<T, U, K extends Key>(
  events: readonly T[],
  chain: (stream: Stream<T>) => Stream<U, K>,
  options: { readonly batchSize?: number; readonly flow?: DataflowOptions; readonly run?: RunOptions } = {},
): Promise<{ readonly rows: readonly U[]; readonly stats: FlowStats }> {
  const flow = new Dataflow("test", options.flow);
  const sink = new TestingSink<U>();
  const source = new IterableSource(events, { batchSize: options.batchSize ?? 3 });
  chain(flow.input("in", source)).output("out", sink);
  const stats = await run(flow, options.run);
  return { rows: sink.rows, stats };
}
