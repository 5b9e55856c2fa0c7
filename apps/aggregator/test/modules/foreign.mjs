import { IterableSource, StdoutSink } from "@millrace/dataflow";

/* As if this file had its own copy of the library. */
const copy = new URL("../../../../libs/dataflow/dist/dataflow.js?copy", import.meta.url).href;
const { Dataflow } = await import(copy);

export const flow = new Dataflow("foreign");
flow.input("numbers", new IterableSource([1, 2])).output("out", new StdoutSink());
