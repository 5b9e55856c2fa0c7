import type { FlowStats, ObservedRun, OpenWindow, PartResult, TaskStats } from "@millrace/dataflow";

/** A run whose figures a test sets. */
export class FakeRun implements ObservedRun {
  readonly description = {
    flow: "clicks",
    steps: [
      { id: "in", operator: "input", kind: "input" as const, inputs: [], ports: ["down"] },
      {
        id: "per-minute",
        operator: "window",
        kind: "windows" as const,
        inputs: [{ step: "in", port: "down" }],
        ports: ["down", "late", "refused"],
        detail: "Windows of 1m.",
      },
    ],
  };
  tasks: TaskStats[] = [taskOf("a")];
  open: OpenWindow[] = [];

  standby = false;

  stats(): FlowStats {
    return { flow: "clicks", tasks: this.tasks, ...(this.standby ? { standby: true } : {}) };
  }

  openWindows(): readonly OpenWindow[] {
    return this.open;
  }
}

export function taskOf(part: string, changes: Partial<TaskStats> = {}): TaskStats {
  return {
    part,
    phase: "waiting",
    source: { read: 10, duplicates: 1, lost: 2, queued: 0, connected: true, reconnects: 3 },
    rejected: 1,
    discarded: 0,
    uncommitted: 0,
    dropped: 0,
    reloads: 0,
    batches: 4,
    lastBatchMs: 5,
    longestBatchMs: 9,
    commits: 2,
    drainedAt: undefined,
    lagMs: 1_500,
    hold: "nothing",
    watermark: 8_000,
    lastEventAt: 9_000,
    lastCommit: { at: 9_500, durationMs: 12, bytes: 345 },
    steps: [
      { id: "in", operator: "input", kind: "input", eventsIn: 10, eventsOut: { down: 10 }, figures: {} },
      {
        id: "per-minute",
        operator: "window",
        kind: "windows",
        eventsIn: 10,
        eventsOut: { down: 3, late: 1, refused: 0 },
        figures: {
          watermark: 8_000,
          windows: 1,
          cells: 5,
          counted: 9,
          late: 1,
          refused: 0,
          skipped: 0,
          overflowed: 0,
          revisions: 0,
          approximateBytes: 700,
        },
      },
    ],
    ...changes,
  };
}

/** A result of the window [open, open + 60 s). */
export function resultOf(
  key: string,
  value: unknown,
  changes: Partial<PartResult<unknown>> & { readonly open?: number } = {},
): PartResult<unknown> {
  const { open = 0, ...rest } = changes;
  return {
    key,
    value,
    part: "a",
    window: { id: open / 60_000, open, close: open + 60_000, mergedIds: [] },
    revision: 0,
    cause: "watermark",
    complete: true,
    ...rest,
  };
}
