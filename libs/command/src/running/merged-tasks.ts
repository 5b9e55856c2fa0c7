import type { StepStats, TaskPhase, TaskStats } from "@millrace/dataflow";

/** Figures of a step that are no counts: they are those of the process that has the task now. */
const GAUGES = new Set(["watermark", "windows", "cells", "approximateBytes", "keys", "remembered"]);

/** Which of several processes' figures of a task are its present ones: the highest. */
const STANDING: Readonly<Record<TaskPhase, number>> = {
  starting: 2,
  running: 2,
  waiting: 2,
  reloading: 2,
  stopping: 2,
  failed: 1,
  ended: 0,
  released: 0,
};

/**
 * One task for each partition, though it was in several processes: the state is that of the process that has it now, and
 * counts are added up.
 *
 * @param tasks of a partition's tasks the newest comes last
 */
export function mergedTasks(tasks: Iterable<TaskStats>): readonly TaskStats[] {
  const merged = new Map<string, TaskStats>();
  for (const task of tasks) {
    const before = merged.get(task.part);
    if (before === undefined) merged.set(task.part, task);
    else if (STANDING[before.phase] > STANDING[task.phase]) merged.set(task.part, sumOf(before, task));
    else merged.set(task.part, sumOf(task, before));
  }
  return [...merged.values()].sort((a, b) => a.part.localeCompare(b.part, "en", { numeric: true }));
}

/** The present figures, with the counts of both. */
function sumOf(present: TaskStats, past: TaskStats): TaskStats {
  const { source } = present;
  const uncertainSince = least(source.uncertainSince, past.source.uncertainSince);
  const steps = new Map(past.steps.map((step) => [step.id, step]));
  return {
    ...present,
    source: {
      ...source,
      read: source.read + past.source.read,
      duplicates: source.duplicates + past.source.duplicates,
      lost: source.lost + past.source.lost,
      possibleDuplicates: (source.possibleDuplicates ?? 0) + (past.source.possibleDuplicates ?? 0),
      suspicious: (source.suspicious ?? 0) + (past.source.suspicious ?? 0),
      ...(uncertainSince === undefined ? {} : { uncertainSince }),
    },
    rejected: present.rejected + past.rejected,
    discarded: present.discarded + past.discarded,
    uncommitted: present.uncommitted + past.uncommitted,
    dropped: present.dropped + past.dropped,
    reloads: present.reloads + past.reloads,
    batches: present.batches + past.batches,
    longestBatchMs: Math.max(present.longestBatchMs, past.longestBatchMs),
    commits: present.commits + past.commits,
    steps: present.steps.map((step) => sumOfSteps(step, steps.get(step.id))),
  };
}

function sumOfSteps(present: StepStats, past: StepStats | undefined): StepStats {
  if (past === undefined) return present;
  const counts = Object.entries(past.figures).filter(([name]) => !GAUGES.has(name));
  return {
    ...present,
    eventsIn: present.eventsIn + past.eventsIn,
    eventsOut: sumByName(present.eventsOut, Object.entries(past.eventsOut)),
    figures: sumByName(present.figures, counts),
  };
}

function sumByName(
  a: Readonly<Record<string, number>>,
  b: readonly (readonly [name: string, count: number])[],
): Readonly<Record<string, number>> {
  const sums = new Map(Object.entries(a));
  for (const [name, count] of b) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries(sums);
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
