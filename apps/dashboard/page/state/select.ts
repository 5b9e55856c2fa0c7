import type { OtherWorker, Row, Sample, Task, Window } from "@millrace/observe/api";
import { plural } from "../format/format.ts";
import { RATE_SAMPLES } from "./model.ts";
import type { Run, State, StepCounts, StepEvents, Unread } from "./model.ts";

// What the views read of the state.

/** The run that is shown: what it was when the page was paused, or what it is now. */
export function shownRun(state: State): Run | null {
  return state.frozen ?? state.run;
}

/** Steps that cut time into windows, in the order of the flow. */
export function windowSteps({ flow }: Run): readonly string[] {
  return flow.steps.filter(({ kind }) => kind === "windows").map(({ id }) => id);
}

/** The windows of the step that is shown, newest first. */
export function shownWindows(run: Run, step: string | null): readonly Window[] {
  const steps = windowSteps(run);
  if (steps.length < 2) return run.windows;
  const shown = step ?? steps[0];
  return run.windows.filter((window) => window.step === shown);
}

/** The window that the reader picked, while it is kept; else the newest one with rows; else the newest one. */
export function shownWindow(windows: readonly Window[], picked: string | null): Window | undefined {
  return (
    (picked === null ? undefined : windows.find(({ id }) => id === picked)) ??
    windows.find(({ top }) => top.length > 0) ??
    windows[0]
  );
}

/** The number that bars show: the one that the reader chose, if the window has it. */
export function shownMeasure({ measures }: Window, measure: string | null): string | undefined {
  return measure !== null && measures.includes(measure) ? measure : measures[0];
}

export interface Bar {
  readonly row: Row;
  readonly value: number;
  /** Of the longest bar, 0 to 1. */
  readonly share: number;
}

export interface Bars {
  readonly bars: readonly Bar[];
  /** Rows without a bar of their own, and their sum; undefined: there are none. */
  readonly rest: { readonly rows: number; readonly value: number; readonly share: number } | undefined;
}

/** The top rows as bars, and the others as one. */
export function barsOf(window: Window, measure: string, limit: number): Bars {
  const rows = window.top
    .map((row) => ({ row, value: row.numbers[measure] ?? 0 }))
    .sort((a, b) => b.value - a.value);
  const shown = rows.slice(0, limit);
  const longest = Math.max(0, ...shown.map(({ value }) => Math.abs(value)));
  const share = (value: number): number => (longest === 0 ? 0 : Math.min(1, Math.abs(value) / longest));
  const hidden = rows.slice(limit);
  const others = hidden.length + window.rest.rows;
  const sum = hidden.reduce((total, { value }) => total + value, window.rest.totals[measure] ?? 0);
  return {
    bars: shown.map(({ row, value }) => ({ row, value, share: share(value) })),
    rest: others === 0 ? undefined : { rows: others, value: sum, share: share(sum) },
  };
}

/** Totals as columns of rates per second, for charts. Gaps and restarts give null. */
export interface Series {
  /** Seconds since the epoch. */
  readonly at: readonly number[];
  readonly received: readonly (number | null)[];
  readonly rowsOut: readonly (number | null)[];
  readonly lagMs: readonly (number | null)[];
  readonly watermarkAgeMs: readonly (number | null)[];
}

export function seriesOf(samples: readonly Sample[]): Series {
  const rate = (pick: (sample: Sample) => number): (number | null)[] =>
    samples.map((sample, i) => rateBetween(samples[i - 1], sample, pick));
  return {
    at: samples.map(({ at }) => at / 1000),
    received: rate(({ received }) => received),
    rowsOut: rate(({ rowsOut }) => rowsOut),
    lagMs: samples.map(({ lagMs }) => lagMs),
    watermarkAgeMs: samples.map(({ watermarkAgeMs }) => watermarkAgeMs),
  };
}

function rateBetween(
  before: Sample | undefined,
  after: Sample,
  pick: (sample: Sample) => number,
): number | null {
  if (before === undefined || after.at <= before.at) return null;
  const difference = pick(after) - pick(before);
  return difference < 0 ? null : (difference * 1000) / (after.at - before.at);
}

/** Mean rate over the last samples; null: there are fewer than two. */
export function recentRate(samples: readonly Sample[], pick: (sample: Sample) => number): number | null {
  const last = samples.slice(-RATE_SAMPLES);
  return rateBetween(last[0], last.at(-1) ?? EMPTY, pick);
}

const EMPTY: Sample = {
  at: 0,
  received: 0,
  counted: 0,
  late: 0,
  lost: 0,
  rowsOut: 0,
  commits: 0,
  lagMs: null,
  watermarkAgeMs: null,
};

/** Events per second at each step, over the last seconds; empty until figures have come twice. */
export function stepRates(counts: readonly StepCounts[]): ReadonlyMap<string, StepEvents> {
  const [first] = counts;
  const last = counts.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return new Map();
  const seconds = (last.at - first.at) / 1000;
  // Counts of a task that was reopened may go back.
  const rate = (now: number, then = 0): number => Math.max(0, now - then) / seconds;
  return new Map(
    [...last.steps].map(([id, now]) => {
      const then = first.steps.get(id);
      const out = Object.entries(now.out).map(([port, n]) => [port, rate(n, then?.out[port])] as const);
      return [id, { in: rate(now.in, then?.in), out: Object.fromEntries(out) }];
    }),
  );
}

export function unreadOf(tasks: readonly Pick<Task, "lagEntries" | "queued">[]): Unread {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
  const entries = tasks.map(({ lagEntries }) => lagEntries).filter((n) => n !== null);
  return {
    entries: entries.length < tasks.length ? null : sum(entries),
    events: sum(tasks.map(({ queued }) => queued)),
  };
}

/** Partitions that should have a connection now and have none. */
export function cutOff(tasks: readonly Task[]): readonly string[] {
  const over: readonly Task["phase"][] = ["ended", "failed"];
  return tasks
    .filter(({ connected, phase }) => connected === false && !over.includes(phase))
    .map(({ part }) => part);
}

/** The partitions to show: those that hold the flow back first if there are too many for all. */
export function shownTasks(tasks: readonly Task[], limit: number): readonly Task[] {
  if (tasks.length <= limit) return tasks;
  const age = ({ watermarkAgeMs }: Task): number => watermarkAgeMs ?? Number.POSITIVE_INFINITY;
  return [...tasks]
    .sort((a, b) => Number(b.holdsFlowBack) - Number(a.holdsFlowBack) || age(b) - age(a))
    .slice(0, limit);
}

const OTHERS_SHOWN = 16;
const PARTS_SHOWN = 8;

/** Another worker, with its partitions as text. */
export type ShownOther = Omit<OtherWorker, "parts"> & { readonly parts: string };

/** The other workers to show, those with the most partitions first, and how many there are beside them. */
export function shownOthers(others: readonly OtherWorker[]): {
  readonly shown: readonly ShownOther[];
  readonly hidden: number;
} {
  const sorted = [...others].sort(
    (a, b) => b.parts.length - a.parts.length || (a.worker < b.worker ? -1 : 1),
  );
  const shown = sorted.slice(0, OTHERS_SHOWN).map((other) => ({ ...other, parts: partsText(other.parts) }));
  return { shown, hidden: sorted.length - shown.length };
}

function partsText(parts: readonly string[]): string {
  if (parts.length === 0) return "no partition";
  const names = parts.slice(0, PARTS_SHOWN).join(", ");
  const more = parts.length > PARTS_SHOWN ? ` and ${parts.length - PARTS_SHOWN} more` : "";
  return `${plural(parts.length, "partition")}: ${names}${more}`;
}
