import { Dataflow } from "@millrace/dataflow";
import type { FlowParts } from "@millrace/command/flow";

/** Passes on what arrives, line by line, as it is: nothing is decoded, so malformed lines show too. */
export function echo({ source, out }: FlowParts): Dataflow {
  const flow = new Dataflow("echo");
  flow.input("messages", source).output("out", out);
  return flow;
}
