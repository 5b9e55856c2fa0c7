import { reconcile } from "@millrace/dataflow";
import type { FlowStats, Logger } from "@millrace/dataflow";

/** Says once, at the end, where every event went and how many rows left; and warns if some events are in no result. */
export function report(logger: Logger, stats: FlowStats): void {
  const figures = reconcile(stats);
  const {
    received,
    decoded,
    malformed,
    blank,
    skipped,
    duplicates,
    counted,
    late,
    refused,
    lost,
    discarded,
    unaccounted,
    rowsOut,
  } = figures;
  const ways = notZero({
    decoded,
    malformed,
    blank,
    skipped,
    duplicates,
    counted,
    late,
    refused,
    lost,
    discarded,
  });
  const rows = Object.entries(rowsOut).map(([output, count]) => `${output} ${count}`);
  logger.info(
    { event: "report", flow: stats.flow, ...figures },
    `received ${received} events: ${[...ways, `${unaccounted} unaccounted`].join(", ")}; rows out: ${rows.join(", ")}`,
  );
  const missing = notZero({ malformed, skipped, late, refused, lost, unaccounted });
  if (missing.length === 0) return;
  logger.warn(
    { event: "not-counted", malformed, skipped, late, refused, lost, unaccounted },
    `not every event is in the results: ${missing.join(", ")}`,
  );
}

function notZero(figures: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(figures)
    .filter(([, events]) => events > 0)
    .map(([name, events]) => `${events} ${name}`);
}
