import { Dataflow } from "@millrace/dataflow";
import { createClickProjection } from "@millrace/event-schema";
import { audienceFold } from "../audience-fold.ts";
import { provenance } from "../result-row.ts";
import type { FlowParts } from "./flow-parts.ts";

/**
 * The honest numbers by time zone and window: events, and how many clicks and users they come from. Each row tells
 * its window, revision, cause and completeness.
 */
export function audience({ source, windower, clock, windowing, report, results }: FlowParts): Dataflow {
  const flow = new Dataflow("audience");
  flow
    .input("clicks", source)
    .decode(
      "decode",
      createClickProjection(["click_id", "user_custom_id", "os_timezone", "device_is_mobile"]),
    )
    .keyBy("timezone", "os_timezone")
    .window("windows", windower, clock, windowing)
    .fold("audience", audienceFold)
    .map(
      "report",
      report((result) => ({ timezone: result.key, ...result.value, ...provenance(result) })),
    )
    .output("out", results);
  return flow;
}
