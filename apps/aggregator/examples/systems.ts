import type { FlowParts } from "@millrace/aggregator/flow";
import { Dataflow } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";

/** Events by operating system, of computers alone. */
export default function systems({ source, windower, clock, windowing, results }: FlowParts): Dataflow {
  const flow = new Dataflow("systems");
  flow
    .input("clicks", source)
    .decode(clickCodec)
    .filter((click) => !click.device_is_mobile)
    .keyBy("os_name")
    .window("windows", windower, clock, windowing)
    .count("events")
    .mapValue((events, { key }) => ({ system: key, events }))
    .output("out", results);
  return flow;
}
