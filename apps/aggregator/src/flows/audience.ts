import { Dataflow } from "@millrace/dataflow";
import { createClickProjection } from "@millrace/event-schema";
import { count, distinct, sum } from "@millrace/windowing";
import { provenance } from "@millrace/command/flow";
import type { FlowParts } from "@millrace/command/flow";

/**
 * The honest numbers by time zone and window: events, and how many clicks and users they come from. Each row has
 * its window, revision, cause and completeness.
 */
export function audience({ source, windower, clock, windowing, results, late }: FlowParts): Dataflow {
  const flow = new Dataflow("audience");
  const numbers = flow
    .input("clicks", source)
    .decode(createClickProjection(["click_id", "user_custom_id", "os_timezone", "device_is_mobile"]))
    .keyBy("os_timezone")
    .window("windows", windower, clock, windowing)
    .aggregate("audience", {
      events: count(),
      mobile_events: sum((click) => Number(click.device_is_mobile)),
      distinct_clicks: distinct((click) => click.click_id),
      distinct_users: distinct((click) => click.user_custom_id),
      distinct_mobile_users: distinct((click) => (click.device_is_mobile ? click.user_custom_id : undefined)),
    });
  numbers
    .mapValue((value, result) => ({ timezone: result.key, ...value, ...provenance(result) }))
    .output("out", results);
  if (late !== undefined) numbers.late.merge(numbers.refused).output("late", late);
  return flow;
}
