import type { FlowParts } from "@millrace/aggregator/flow";
import { Dataflow } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";

/** Events by operating system, of computers alone. */
export default function systems({
  source,
  windower,
  clock,
  windowing,
  report,
  results,
}: FlowParts): Dataflow {
  const flow = new Dataflow("systems");
  flow
    .input("clicks", source)
    .decode("decode", clickCodec)
    .filter("computers", (click) => !click.device_is_mobile)
    .keyBy("system", "os_name")
    .window("windows", windower, clock, windowing)
    .count("events")
    .map(
      "report",
      report(({ key, value }) => ({ system: key, events: value })),
    )
    .output("out", results);
  return flow;
}
