import { reconcile } from "@millrace/dataflow";
import type { FlowStats, Logger } from "@millrace/dataflow";

/**
 * Says once, at the end, where every event went and how many rows left; and warns if some events are in no result.
 *
 * @param failed a failure without a store leaves events half-way, so that what is not accounted for is no defect; with a
 *   store the figures are those of what was committed. Of a run that ended before its first task there is nothing to say
 */
export function report(logger: Logger, stats: FlowStats, failed = false): void {
  if (stats.tasks.length === 0) return;
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
    uncommitted,
    unaccounted,
    rowsOut,
  } = figures;
  const decodes = stats.tasks.some(({ steps }) => steps.some(({ kind }) => kind === "decode"));
  // Without a step that decodes, what the source did not refuse is passed on unchanged.
  const passedOn = decodes ? 0 : received - malformed;
  const ways = notZero({
    decoded,
    "passed on": passedOn,
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
  const left = uncommitted === 0 ? [] : [`${uncommitted} not committed, which the next worker reads again`];
  const rest = failed ? notZero({ "in progress": unaccounted }) : [`${unaccounted} unaccounted`];
  const rows = Object.entries(rowsOut).map(([output, count]) => `${output} ${count}`);
  const parts = [...ways, ...left, ...rest];
  logger.info(
    { event: "report", flow: stats.flow, ...figures, passedOn, ...(failed ? { failed } : {}) },
    `${failed ? "failed after it had " : ""}received ${received} events${parts.length > 0 ? `: ${parts.join(", ")}` : ""}` +
      (rows.length > 0 ? `; rows out: ${rows.join(", ")}` : ""),
  );
  if (uncertainSince !== undefined) {
    const since = new Date(uncertainSince).toISOString();
    logger.warn(
      { event: "uncertain", uncertainSince, since },
      `the source was disconnected and does not know all that it missed: more events published since ${since} may be missing than ` +
        "are counted as lost",
    );
  }
  for (const { step, events, values } of overflowOf(stats)) {
    const ways = notZero({
      "events under the overflow key": events,
      "values left out of rows (overflow)": values,
    });
    logger.warn(
      { event: "overflow", step, events, values },
      `step "${step}" had no room for all events or values: ${ways.join(", ")}`,
    );
  }
  const missing = notZero({ malformed, skipped, late, refused, lost, unaccounted: failed ? 0 : unaccounted });
  if (missing.length === 0) return;
  logger.warn(
    { event: "not-counted", malformed, skipped, late, refused, lost, unaccounted },
    `not every event is in the results: ${missing.join(", ")}`,
  );
}

interface StepOverflow {
  readonly step: string;
  readonly events: number;
  readonly values: number;
}

/** What found no room, by step, over all tasks. */
function overflowOf({ tasks }: FlowStats): readonly StepOverflow[] {
  const steps = new Map<string, StepOverflow>();
  for (const { id, figures } of tasks.flatMap((task) => task.steps)) {
    const { events = 0, values = 0 } = steps.get(id) ?? {};
    steps.set(id, {
      step: id,
      events: events + (figures["overflowed"] ?? 0),
      values: values + (figures["overflowedValues"] ?? 0),
    });
  }
  return [...steps.values()].filter(({ events, values }) => events + values > 0);
}

function notZero(figures: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(figures)
    .filter(([, events]) => events > 0)
    .map(([name, events]) => `${events} ${name}`);
}
