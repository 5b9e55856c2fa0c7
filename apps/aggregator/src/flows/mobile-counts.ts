import { Dataflow } from "@millrace/dataflow";
import { createClickProjection } from "@millrace/event-schema";
import type { FlowParts } from "@millrace/command/flow";

/**
 * Mobile events by time zone and window, under the tutorial's name: a user who clicks twice counts twice.
 *
 * Every zone with an event in a window has a row, also where the number is 0. Malformed lines go to the flow's dead letter and are
 * counted nowhere else.
 */
export function mobileCounts({ source, windower, clock, windowing, results, late }: FlowParts): Dataflow {
  const flow = new Dataflow("mobile_counts");
  const counts = flow
    .input("clicks", source)
    .decode(createClickProjection(["os_timezone", "device_is_mobile"]))
    .keyBy("os_timezone")
    .window("windows", windower, clock, windowing)
    .reduce(
      "mobile",
      (click) => Number(click.device_is_mobile),
      (a, b) => a + b,
    );
  counts.mapValue((value, { key }) => ({ timezone: key, num_mobile_users: value })).output("out", results);
  if (late !== undefined) counts.late.merge(counts.refused).output("late", late);
  return flow;
}
