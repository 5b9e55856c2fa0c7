import { Dataflow, IterableSource, StdoutSink } from "@millrace/dataflow";

/** A flow that needs none of the aggregator's parts. */
export const flow: Dataflow = new Dataflow("finished");
flow
  .input("numbers", new IterableSource([1, 2, 3]))
  .map("square", (n) => n * n)
  .output("out", new StdoutSink());
