import type { FlowStats } from "./stats.ts";

/**
 * Where every event went, over all tasks. Each count was made where the event was; only `unaccounted` is a difference,
 * and any value but 0 is a bug.
 */
export interface Reconciliation {
  /** Events that the sources delivered, with payloads that they refused themselves. */
  readonly received: number;
  readonly decoded: number;
  readonly malformed: number;
  readonly blank: number;
  /** Given up by a step whose error policy is `dead-letter`. */
  readonly skipped: number;
  /** Recognised by a source as duplicates. */
  readonly duplicates: number;
  /** Events that entered a window step, counted for each window step. */
  readonly windowed: number;
  readonly counted: number;
  readonly late: number;
  readonly refused: number;
  /** Delivered, but the source may have delivered them before. */
  readonly possibleDuplicates: number;
  /** Received, but the number or publish time of their message is implausible. */
  readonly suspicious: number;
  /** Known to be missing, as measured by the sources. */
  readonly lost: number;
  /** Processed, but the store has lost their commits: in no count above, and read again if possible. */
  readonly discarded: number;
  /** Processed by tasks that failed before the commit: in no count above, and left to the next owner. */
  readonly uncommitted: number;
  /** The earliest time (ms) from which on a source cannot count lost events; `undefined`: all can. */
  readonly uncertainSince: number | undefined;
  readonly unaccounted: number;
  /** Rows that have left the process, by output. */
  readonly rowsOut: Readonly<Record<string, number>>;
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
    possibleDuplicates: 0,
    suspicious: 0,
    lost: 0,
    windowed: 0,
    skipped: 0,
    discarded: 0,
    uncommitted: 0,
  };
  const rowsOut = new Map<string, number>();
  const decode = { decoded: 0, malformed: 0, blank: 0 };
  const window = { counted: 0, late: 0, refused: 0 };
  let uncertainSince: number | undefined;
  let windowSkipped = 0;
  for (const task of stats.tasks) {
    sum.received += task.source.read + task.rejected;
    sum.rejected += task.rejected;
    sum.read += task.source.read;
    sum.duplicates += task.source.duplicates;
    sum.possibleDuplicates += task.source.possibleDuplicates ?? 0;
    sum.suspicious += task.source.suspicious ?? 0;
    sum.lost += task.source.lost;
    sum.discarded += task.discarded;
    sum.uncommitted += task.uncommitted;
    const since = task.source.uncertainSince;
    if (since !== undefined) uncertainSince = Math.min(uncertainSince ?? since, since);
    for (const step of task.steps) {
      sum.skipped += step.figures["skipped"] ?? 0;
      switch (step.kind) {
        case "input":
          sum.delivered += step.eventsIn;
          break;
        case "decode":
          sum.decodeIn += step.eventsIn;
          addUp(decode, step.figures);
          break;
        case "windows":
          sum.windowed += step.eventsIn;
          windowSkipped += step.figures["skipped"] ?? 0;
          addUp(window, step.figures);
          break;
        case "output":
          rowsOut.set(step.id, (rowsOut.get(step.id) ?? 0) + (step.figures["rowsOut"] ?? 0));
          break;
        case "other":
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
    possibleDuplicates: sum.possibleDuplicates,
    suspicious: sum.suspicious,
    lost: sum.lost,
    discarded: sum.discarded,
    uncommitted: sum.uncommitted,
    uncertainSince,
    unaccounted: Math.abs(sum.read - sum.delivered) + Math.abs(decodeRest) + Math.abs(windowRest),
    rowsOut: Object.fromEntries(rowsOut),
  };
}

function addUp<Name extends string>(
  totals: Record<Name, number>,
  figures: Readonly<Record<string, number>>,
): void {
  for (const name in totals) totals[name] += figures[name] ?? 0;
}
