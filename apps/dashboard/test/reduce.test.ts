import { describe, expect, test } from "@jest/globals";
import { initialState, MAX_SAMPLES, MAX_WINDOWS } from "../page/state/model.ts";
import type { Action, State } from "../page/state/model.ts";
import { reduce } from "../page/state/reduce.ts";
import { stepRates } from "../page/state/select.ts";
import { rowOf, sampleOf, snapshotOf, taskOf, tasksOf, windowOf } from "./run-data.ts";

const START = initialState(0, "light", false);

function after(actions: readonly Action[], from: State = START): State {
  return actions.reduce(reduce, from);
}

function snapshot(at: number, more: Parameters<typeof snapshotOf>[0] = {}): Action {
  return { type: "stream", name: "snapshot", data: snapshotOf(more), at };
}

describe("the connection", () => {
  test("is live with the first event, and stale after five silent seconds", () => {
    const live = after([snapshot(100)]);
    expect(live.connection).toEqual({ phase: "live" });
    expect(after([{ type: "tick", at: 5_000 }], live).connection).toEqual({ phase: "live" });
    expect(after([{ type: "tick", at: 5_200 }], live).connection).toEqual({ phase: "stale", since: 100 });
  });

  test("says since when nothing came while it reconnects, and keeps what is shown", () => {
    const state = after([snapshot(100), { type: "broke", at: 900 }, { type: "broke", at: 1_900 }]);
    expect(state.connection).toEqual({ phase: "reconnecting", since: 100 });
    expect(state.run?.flow.flow).toBe("audience");
  });

  test("that never worked is being made", () => {
    expect(after([{ type: "broke", at: 900 }]).connection).toEqual({ phase: "connecting" });
  });

  test("stays ended when the server goes, and begins again with the next run", () => {
    const ended = after([
      snapshot(100),
      { type: "stream", name: "end", data: { failed: false, reason: null }, at: 200 },
      { type: "broke", at: 300 },
      { type: "refused", at: 400, detail: "The run has ended." },
      { type: "tick", at: 60_000 },
    ]);
    expect(ended.connection).toEqual({ phase: "ended", failed: false, reason: null });
    expect(after([snapshot(61_000)], ended).connection).toEqual({ phase: "live" });
  });
});

describe("the run", () => {
  test("is replaced by a snapshot", () => {
    const before = snapshot(100, { windows: { at: 0, windows: [windowOf(0)] } });
    const next = snapshot(200, { windows: { at: 0, windows: [windowOf(5_000)] } });
    expect(after([before, next]).run?.windows.map(({ open }) => open)).toEqual([5_000]);
  });

  test("has changed windows in the place of the old ones, newest first, without those removed", () => {
    const state = after([
      snapshot(100, { windows: { at: 0, windows: [windowOf(5_000, { status: "filling" }), windowOf(0)] } }),
      {
        type: "stream",
        name: "windows",
        data: { at: 0, windows: [windowOf(10_000), windowOf(5_000)], removed: [windowOf(0).id] },
        at: 200,
      },
    ]);
    expect(state.run?.windows.map(({ open, status }) => [open, status])).toEqual([
      [10_000, "final"],
      [5_000, "final"],
    ]);
  });

  test("keeps a bounded number of windows and samples, the newest", () => {
    const windows = Array.from({ length: MAX_WINDOWS + 50 }, (_, i) => windowOf(i * 5_000));
    const samples = Array.from({ length: MAX_SAMPLES + 50 }, (_, i) => sampleOf(i * 1_000));
    const { run } = after([
      snapshot(100, { windows: { at: 0, windows }, history: { everyMs: 1_000, samples } }),
      {
        type: "stream",
        name: "tasks",
        data: { ...tasksOf(0, []), sample: sampleOf(700_000) },
        at: 200,
      },
    ]);
    expect(run?.windows).toHaveLength(MAX_WINDOWS);
    expect(run?.windows[0]?.open).toBe((MAX_WINDOWS + 49) * 5_000);
    expect(run?.samples).toHaveLength(MAX_SAMPLES);
    expect(run?.samples.at(-1)?.at).toBe(700_000);
  });

  test("has no second twice", () => {
    const { run } = after([
      snapshot(100, { history: { everyMs: 1_000, samples: [sampleOf(1_000), sampleOf(2_000)] } }),
      {
        type: "stream",
        name: "tasks",
        data: { ...tasksOf(2_000, []), sample: sampleOf(2_000, { received: 7 }) },
        at: 200,
      },
    ]);
    expect(run?.samples.map(({ at, received }) => [at, received])).toEqual([
      [1_000, 0],
      [2_000, 7],
    ]);
  });

  test("has rates of steps over all tasks and the last five seconds, and none below 0", () => {
    const tasks = (at: number, a: number, b: number) =>
      tasksOf(at, [
        taskOf("0", {
          steps: [{ id: "windows", eventsIn: a, eventsOut: { down: a, late: 1 }, figures: {} }],
        }),
        taskOf("1", {
          steps: [{ id: "windows", eventsIn: b, eventsOut: { down: b, late: 1 }, figures: {} }],
        }),
      ]);
    const event = (at: number, a: number, b: number): Action => ({
      type: "stream",
      name: "tasks",
      data: { ...tasks(at, a, b), sample: sampleOf(at) },
      at,
    });
    const rateOf = ({ run }: State) => stepRates(run?.counts ?? []).get("windows");
    const first = after([snapshot(0, { tasks: tasks(1_000, 100, 100) })]);
    expect(rateOf(first)).toBeUndefined();
    const second = after([event(3_000, 300, 200)], first);
    expect(rateOf(second)).toEqual({ in: 150, out: { down: 150, late: 0 } });
    const burst = [4_000, 5_000, 6_000, 7_000, 8_000].map((at) => event(at, 300, 200));
    expect(rateOf(after(burst, second))).toEqual({ in: 0, out: { down: 0, late: 0 } });
    expect(rateOf(after([event(4_000, 0, 0)], second))?.in).toBe(0);
  });
});

test("a paused page shows what it was, and follows in the background", () => {
  const state = after([
    snapshot(100),
    { type: "pause", paused: true },
    { type: "stream", name: "windows", data: { at: 0, windows: [windowOf(0)], removed: [] }, at: 200 },
  ]);
  expect(state.frozen?.windows).toHaveLength(0);
  expect(state.run?.windows).toHaveLength(1);
  expect(after([{ type: "pause", paused: false }], state).frozen).toBeNull();
});

test("another step shows its newest window and its first measure", () => {
  const state = after([
    { type: "pick", window: "w" },
    { type: "show-measure", measure: "users" },
    { type: "show-step", step: "per-minute" },
  ]);
  expect(state).toMatchObject({ step: "per-minute", picked: null, measure: null });
});

test("ten thousand changes of rows keep the state small", () => {
  let state = after([snapshot(0)]);
  for (let i = 0; i < 500; i += 1) {
    const top = Array.from({ length: 20 }, (_, key) => rowOf(`key ${key}`, { events: i }));
    const data = { at: i, windows: [windowOf(Math.floor(i / 2) * 5_000, { top })], removed: [] };
    state = reduce(state, { type: "stream", name: "windows", data, at: i });
  }
  expect(state.run?.windows).toHaveLength(MAX_WINDOWS);
});
