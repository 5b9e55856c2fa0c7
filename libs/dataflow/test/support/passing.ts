import { Dataflow } from "@millrace/dataflow";
import type { DeadLetter, Sink, SinkPartition, Source } from "@millrace/dataflow";

/** A flow that passes events on. */
export function passing<T>(source: Source<T>, sink: Sink<T>, deadLetter?: Sink<DeadLetter>): Dataflow {
  const flow = new Dataflow("passing", deadLetter === undefined ? {} : { deadLetter });
  flow.input("in", source).output("out", sink);
  return flow;
}

/** A sink whose partition does what a test wants to see handled. */
export function sinkOf<T>(part: Partial<SinkPartition<T>>): Sink<T> {
  const none = (): Promise<void> => Promise.resolve();
  return { buildPart: () => Promise.resolve({ writeBatch: none, flush: none, close: none, ...part }) };
}
