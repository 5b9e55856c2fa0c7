import type { FlowStats } from "./stats.ts";

/**
 * Where every event went, over all tasks. Each figure was counted where it happened; `unaccounted` alone is a
 * difference, and anything but 0 in it is a defect.
 */
export interface Reconciliation {
  /** Events that the sources delivered, including payloads that they refused themselves. */
  readonly received: number;
  readonly decoded: number;
  readonly malformed: number;
  readonly blank: number;
  /** Given up on by a step whose error policy is `dead-letter`. */
  readonly skipped: number;
  /** Recognised by a source as sent twice. */
  readonly duplicates: number;
  /** Events that entered a window step, each step of windows counted for itself. */
  readonly windowed: number;
  readonly counted: number;
  readonly late: number;
  readonly refused: number;
  /** Known to be missing, as measured by the sources. */
  readonly lost: number;
  readonly unaccounted: number;
}

/**
 * Adds up a run: at the sources, read = decoded + malformed + blank; at window steps, in = counted + late + refused +
 * skipped.
 */
export function reconcile(stats: FlowStats): Reconciliation {
  const sum = {
    read: 0,
    received: 0,
    rejected: 0,
    delivered: 0,
    decodeIn: 0,
    duplicates: 0,
    lost: 0,
    windowed: 0,
    skipped: 0,
  };
  const decode = { decoded: 0, malformed: 0, blank: 0 };
  const window = { counted: 0, late: 0, refused: 0 };
  let windowSkipped = 0;
  for (const task of stats.tasks) {
    sum.received += task.source.read + task.rejected;
    sum.rejected += task.rejected;
    sum.read += task.source.read;
    sum.duplicates += task.source.duplicates;
    sum.lost += task.source.lost;
    for (const step of task.steps) {
      sum.skipped += step.figures["skipped"] ?? 0;
      if (step.operator === "input") {
        sum.delivered += step.eventsIn;
      } else if (step.operator === "decode") {
        sum.decodeIn += step.eventsIn;
        addUp(decode, step.figures);
      } else if (step.operator === "window") {
        sum.windowed += step.eventsIn;
        windowSkipped += step.figures["skipped"] ?? 0;
        addUp(window, step.figures);
      }
    }
  }
  const decodeRest = sum.decodeIn - decode.decoded - decode.malformed - decode.blank;
  const windowRest = sum.windowed - window.counted - window.late - window.refused - windowSkipped;
  return {
    received: sum.received,
    ...decode,
    malformed: decode.malformed + sum.rejected,
    skipped: sum.skipped,
    duplicates: sum.duplicates,
    windowed: sum.windowed,
    ...window,
    lost: sum.lost,
    unaccounted: Math.abs(sum.read - sum.delivered) + Math.abs(decodeRest) + Math.abs(windowRest),
  };
}

function addUp<Name extends string>(
  totals: Record<Name, number>,
  figures: Readonly<Record<string, number>>,
): void {
  for (const name in totals) totals[name] += figures[name] ?? 0;
}
