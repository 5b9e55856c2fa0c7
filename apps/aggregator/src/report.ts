import { reconcile } from "@millrace/dataflow";
import type { FlowStats, Logger } from "@millrace/dataflow";

/** Says once, at the end, where every event went; and says it louder if some did not get into a result. */
export function report(logger: Logger, stats: FlowStats): void {
  const figures = reconcile(stats);
  logger.info({ event: "report", flow: stats.flow, ...figures }, "the input is over");
  const { malformed, skipped, late, refused, lost, unaccounted } = figures;
  const missing = Object.entries({ malformed, skipped, late, refused, lost, unaccounted }).filter(
    ([, events]) => events > 0,
  );
  if (missing.length === 0) return;
  logger.warn(
    { event: "not-counted", ...Object.fromEntries(missing) },
    `not every event is in the results: ${missing.map(([name, events]) => `${events} ${name}`).join(", ")}`,
  );
}
