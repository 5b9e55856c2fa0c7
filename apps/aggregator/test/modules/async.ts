import type { FlowParts } from "@millrace/aggregator/flow";
import { Dataflow } from "@millrace/dataflow";

/** Has to wait for something before it can build its flow. */
export default async function later({ source, out }: FlowParts): Promise<Dataflow> {
  await Promise.resolve();
  const flow = new Dataflow("later");
  flow.input("lines", source).output("out", out);
  return flow;
}
