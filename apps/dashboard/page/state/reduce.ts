import type { Sample, StreamEvents, Tasks, Window } from "@millrace/observe/api";
import { MAX_SAMPLES, MAX_WINDOWS, RATE_SAMPLES, STALE_AFTER_MS } from "./model.ts";
import type { Action, Connection, Run, State, StepCounts } from "./model.ts";

/** The state after an action. It returns the same object where nothing changes, so that nothing is rendered. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "stream":
      return hear(state, action.at, action);
    case "broke":
      if (state.connection.phase === "reconnecting" || state.connection.phase === "ended") return state;
      return {
        ...state,
        now: action.at,
        connection:
          state.run === null ? CONNECTING : { phase: "reconnecting", since: silentSince(state, action.at) },
      };
    case "refused":
      // A server may stay after the run, and refuse further streams.
      if (state.connection.phase === "ended") return state;
      return {
        ...state,
        now: action.at,
        connection: { phase: "refused", since: silentSince(state, action.at), detail: action.detail },
      };
    case "locked":
      return { ...state, connection: { phase: "locked", notice: action.notice } };
    case "unlocked":
      return { ...state, connection: CONNECTING };
    case "tick":
      return tick(state, action.at);
    case "pause":
      return { ...state, frozen: action.paused ? state.run : null };
    case "pick":
      return { ...state, picked: action.window };
    case "show-step":
      return { ...state, step: action.step, picked: null, measure: null };
    case "show-measure":
      return { ...state, measure: action.measure };
    case "rows":
      return { ...state, rows: action.rows };
    case "search":
      return { ...state, search: action.search };
    case "look": {
      const { theme = state.theme, narrow = state.narrow } = action;
      return theme === state.theme && narrow === state.narrow ? state : { ...state, theme, narrow };
    }
  }
}

const CONNECTING: Connection = { phase: "connecting" };
const LIVE: Connection = { phase: "live" };

function silentSince({ heardAt }: State, now: number): number {
  return heardAt ?? now;
}

function hear(state: State, at: number, event: Extract<Action, { type: "stream" }>): State {
  const heard: State = { ...state, heardAt: at, now: at, connection: LIVE };
  if (event.name === "snapshot") return { ...heard, run: begin(event.data), rows: null };
  if (event.name === "end") {
    const { failed, reason } = event.data;
    return { ...heard, connection: { phase: "ended", failed, reason } };
  }
  const { run } = state;
  // Events that follow a connection that was resumed need the snapshot that came before.
  if (run === null) return heard;
  switch (event.name) {
    case "tasks": {
      const { sample, ...tasks } = event.data;
      const samples = addSample(run.samples, sample);
      return {
        ...heard,
        run: { ...run, tasks, samples, counts: addCounts(run.counts, tasks) },
      };
    }
    case "windows":
      return {
        ...heard,
        run: { ...run, windows: mergeWindows(run.windows, event.data.windows, event.data.removed) },
      };
    case "dead-letters":
      return { ...heard, run: { ...run, deadLetters: event.data } };
  }
}

function begin({ flow, tasks, windows, history, deadLetters }: StreamEvents["snapshot"]): Run {
  return {
    flow,
    tasks,
    windows: mergeWindows([], windows.windows, []),
    samples: history.samples.slice(-MAX_SAMPLES),
    deadLetters,
    counts: [countsOf(tasks)],
  };
}

function tick(state: State, at: number): State {
  const { connection, heardAt } = state;
  if (connection.phase === "live" && heardAt !== null && at - heardAt > STALE_AFTER_MS) {
    return { ...state, now: at, connection: { phase: "stale", since: heardAt } };
  }
  return { ...state, now: at };
}

function addSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  // The second of a snapshot may come again with the first figures after it.
  const before =
    (samples.at(-1)?.at ?? 0) >= sample.at ? samples.filter(({ at }) => at < sample.at) : samples;
  return [...before, sample].slice(-MAX_SAMPLES);
}

/** The windows with those that changed, newest first. */
function mergeWindows(
  windows: readonly Window[],
  changed: readonly Window[],
  removed: readonly string[],
): readonly Window[] {
  const byId = new Map(windows.map((window) => [window.id, window]));
  for (const window of changed) byId.set(window.id, window);
  for (const id of removed) byId.delete(id);
  return [...byId.values()].sort(newestFirst).slice(0, MAX_WINDOWS);
}

function newestFirst(a: Window, b: Window): number {
  return b.close - a.close || b.open - a.open || (a.id < b.id ? -1 : 1);
}

function addCounts(counts: readonly StepCounts[], tasks: Tasks): readonly StepCounts[] {
  return [...counts.filter(({ at }) => at < tasks.at), countsOf(tasks)].slice(-RATE_SAMPLES);
}

function countsOf({ at, tasks }: Tasks): StepCounts {
  const steps = new Map<string, { in: number; out: Record<string, number> }>();
  for (const { id, eventsIn, eventsOut } of tasks.flatMap((task) => task.steps)) {
    const sum = steps.get(id) ?? { in: 0, out: {} };
    sum.in += eventsIn;
    for (const [port, n] of Object.entries(eventsOut)) sum.out[port] = (sum.out[port] ?? 0) + n;
    steps.set(id, sum);
  }
  return { at, steps };
}
