import { Dataflow, IterableSource, StdoutSink } from "@millrace/dataflow";

/** A flow whose step fails on its second event. */
export const flow: Dataflow = new Dataflow("broken_step");
flow
  .input("texts", new IterableSource(['{"n":1}', "n is 2"]))
  .map("parse", parse)
  .output("out", new StdoutSink());

function parse(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return value;
}
