import { Dataflow, eventTime, json, tumbling } from "millrace";
import type { FlowParts } from "millrace";
import { z } from "zod";

const visit = z.object({ page: z.string(), at: z.iso.datetime() });

/** Visits of each page in each minute. */
export default function visits({ source, out }: Pick<FlowParts, "source" | "out">) {
  const flow = new Dataflow("visits");
  flow
    .input("visits", source)
    .decode(json(visit))
    .keyBy("page")
    .window("minutes", tumbling("1m"), eventTime("at", { wait: "5s" }))
    .count()
    .map(({ key, value }) => ({ page: key, visits: value }))
    .output("out", out);
  return flow;
}
