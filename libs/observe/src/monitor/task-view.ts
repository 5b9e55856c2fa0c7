import { reconcile } from "@millrace/dataflow";
import type { FlowStats, TaskStats } from "@millrace/dataflow";
import type { Account, Task } from "../api/schemas.ts";

/** The figures of all tasks as the API has them. @param now system time, ms */
export function tasksOf(stats: FlowStats, now: number): Task[] {
  const lowest = lowestOf(stats.tasks);
  return stats.tasks.map((task) => taskOf(task, now, task === lowest));
}

/** Where every event went. */
export function accountOf(stats: FlowStats): Account {
  const { uncertainSince, rowsOut, ...counts } = reconcile(stats);
  return { ...counts, uncertainSince: uncertainSince ?? null, rowsOut: { ...rowsOut } };
}

/** The task that has the lowest watermark of the flow, if it differs from others or something holds it. */
function lowestOf(tasks: readonly TaskStats[]): TaskStats | undefined {
  let lowest: TaskStats | undefined;
  for (const task of tasks) {
    if (isOver(task) || task.watermark === undefined) continue;
    if (lowest?.watermark === undefined || task.watermark < lowest.watermark) lowest = task;
  }
  if (lowest === undefined) return undefined;
  return tasks.length > 1 || holdOf(lowest).hold !== "nothing" ? lowest : undefined;
}

function taskOf(task: TaskStats, now: number, isLowest: boolean): Task {
  const { source, watermark, lastCommit, steps } = task;
  const { hold, reason } = holdOf(task);
  return {
    part: task.part,
    phase: task.phase,
    hold,
    holdReason: reason,
    holdsFlowBack: isLowest,
    connected: source.connected ?? null,
    reconnects: source.reconnects ?? null,
    watermark: watermark ?? null,
    watermarkAgeMs: watermark === undefined ? null : now - watermark,
    lastEventAt: task.lastEventAt ?? null,
    lagMs: task.lagMs ?? null,
    lagEntries: source.entriesBehind ?? null,
    queued: source.queued,
    drainedAt: task.drainedAt ?? null,
    received: source.read + task.rejected,
    duplicates: source.duplicates,
    lost: source.lost,
    malformed: malformedOf(task),
    batches: task.batches,
    lastBatchMs: task.lastBatchMs,
    longestBatchMs: task.longestBatchMs,
    commits: task.commits,
    lastCommit:
      lastCommit === undefined
        ? null
        : { at: lastCommit.at, durationMs: lastCommit.durationMs, bytes: lastCommit.bytes ?? null },
    reloads: task.reloads,
    steps: steps.map(({ id, eventsIn, eventsOut, figures }) => ({
      id,
      eventsIn,
      eventsOut: { ...eventsOut },
      figures: finite(figures),
    })),
  };
}

/** Payloads that are no events: refused by the source itself, or by a step that decodes. */
export function malformedOf({ rejected, steps }: TaskStats): number {
  let malformed = rejected;
  for (const { kind, figures } of steps) {
    if (kind === "decode") malformed += figures["malformed"] ?? 0;
  }
  return malformed;
}

/** Nothing more comes of it: its ages grow without a meaning. */
export function isOver({ phase }: Pick<TaskStats, "phase">): boolean {
  return phase === "ended" || phase === "failed" || phase === "released";
}

interface HeldBy {
  readonly hold: Task["hold"];
  /** For people; `null`: nothing holds the task. */
  readonly reason: string | null;
}

const NOTHING: HeldBy = { hold: "nothing", reason: null };

function holdOf(task: TaskStats): HeldBy {
  const { source, steps, watermark } = task;
  if (isOver(task)) return NOTHING;
  if (source.connected === false) {
    return {
      hold: "disconnected",
      reason:
        "The source has no connection, so that events may be on their way. It connects again by itself; " +
        "check that Redis runs and can be reached from here.",
    };
  }
  if (task.hold === "unread-events") {
    const waiting = source.queued > 0 ? `${source.queued} events` : "Events";
    return {
      hold: "unread-events",
      reason: `${waiting} have arrived and wait until the earlier ones are processed.`,
    };
  }
  const windows = steps.some(({ kind }) => kind === "windows");
  if (windows && watermark === undefined && source.read + task.rejected === 0) {
    return {
      hold: "no-events",
      reason:
        "No event has come yet, so that there is no watermark. Check that something publishes to this partition.",
    };
  }
  if (task.hold === "probe") {
    return {
      hold: "probe",
      reason:
        "Windows are due, and the source has not answered yet whether all events have arrived that were sent before.",
    };
  }
  return NOTHING;
}

/** A gauge such as a watermark is not finite before the first event, and JSON has no such number. */
function finite(figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)));
}
