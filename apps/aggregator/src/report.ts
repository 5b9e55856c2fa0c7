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
    possibleDuplicates,
    suspicious,
    counted,
    late,
    refused,
    lost,
    uncertainSince,
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
    "possible duplicates": possibleDuplicates,
    suspicious,
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
  if (uncertainSince !== undefined) {
    const since = new Date(uncertainSince).toISOString();
    logger.warn(
      { event: "uncertain", uncertainSince, since },
      `the source was disconnected and does not know all that it missed: more events published since ${since} than are ` +
        "counted as lost may be missing",
    );
  }
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
