import type { FlowParts } from "@millrace/aggregator/flow";
import { Dataflow } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";

/** `mobile-counts` without its projection: every line is parsed, and every field of it is there. */
export default function wholeClicks({ source, windower, clock, windowing, results }: FlowParts): Dataflow {
  const flow = new Dataflow("mobile_counts");
  flow
    .input("clicks", source)
    .decode(clickCodec)
    .keyBy("os_timezone")
    .window("windows", windower, clock, windowing)
    .reduce(
      "mobile",
      (click) => Number(click.device_is_mobile),
      (a, b) => a + b,
    )
    .mapValue((value, { key }) => ({ timezone: key, num_mobile_users: value }))
    .output("out", results);
  return flow;
}
