import { describe, expect, test } from "@jest/globals";
import type { OtherWorker, Step } from "@millrace/observe/api";
import { equations, outputRows, remarks } from "../page/state/account.ts";
import { initialState } from "../page/state/model.ts";
import type { Run } from "../page/state/model.ts";
import { reduce } from "../page/state/reduce.ts";
import {
  barsOf,
  cutOff,
  recentRate,
  seriesOf,
  shownMeasure,
  shownOthers,
  shownTasks,
  shownWindow,
  shownWindows,
  unreadOf,
} from "../page/state/select.ts";
import { rowOf, sampleOf, snapshotOf, taskOf, tasksOf, windowOf } from "./run-data.ts";

function runOf(more: Parameters<typeof snapshotOf>[0]): Run {
  const data = snapshotOf(more);
  const { run } = reduce(initialState(0, "light", false), { type: "stream", name: "snapshot", data, at: 0 });
  if (run === null) throw new Error("a snapshot begins a run");
  return run;
}

describe("the window that is shown", () => {
  const filling = windowOf(10_000, { status: "filling" });
  const withRows = windowOf(5_000, { top: [rowOf("a", { events: 1 })] });
  const older = windowOf(0, { top: [rowOf("a", { events: 1 })] });

  test("is the newest with rows", () => {
    expect(shownWindow([filling, withRows, older], null)).toBe(withRows);
    expect(shownWindow([filling], null)).toBe(filling);
    expect(shownWindow([], null)).toBeUndefined();
  });

  test("is the one that was picked, while it is kept", () => {
    expect(shownWindow([filling, withRows, older], older.id)).toBe(older);
    expect(shownWindow([filling, withRows], older.id)).toBe(withRows);
  });

  test("is of the step that is shown", () => {
    const [first, second] = [windowOf(0), windowOf(0, { step: "per-minute" })];
    const { flow } = snapshotOf();
    const [, window] = flow.steps;
    if (window === undefined) throw new Error("the flow has a window step");
    const twoSteps = { ...flow, steps: [...flow.steps, { ...window, id: "per-minute" }] };
    const run = runOf({ flow: twoSteps, windows: { at: 0, windows: [first, second] } });
    expect(shownWindows(run, null)).toEqual([first]);
    expect(shownWindows(run, "per-minute")).toEqual([second]);
  });
});

describe("bars", () => {
  const window = windowOf(0, {
    measures: ["events", "users"],
    top: [
      rowOf("a", { events: 80, users: 2 }),
      rowOf("b", { events: 40, users: 8 }),
      rowOf("c", { events: 10, users: 1 }),
    ],
    rest: { rows: 7, totals: { events: 25, users: 5 } },
  });

  test("are the highest rows, and the others as one", () => {
    const { bars, rest } = barsOf(window, "events", 2);
    expect(bars.map(({ row, value, share }) => [row.key, value, share])).toEqual([
      ["a", 80, 1],
      ["b", 40, 0.5],
    ]);
    expect(rest).toEqual({ rows: 8, value: 35, share: 35 / 80 });
  });

  test("are ordered by the number that is shown, and the rest is at most as long as the longest", () => {
    const { bars, rest } = barsOf(window, "users", 2);
    expect(bars.map(({ row }) => row.key)).toEqual(["b", "a"]);
    expect(rest).toEqual({ rows: 8, value: 6, share: 0.75 });
    expect(
      barsOf(windowOf(0, { top: window.top, rest: { rows: 1, totals: { events: 999 } } }), "events", 3).rest
        ?.share,
    ).toBe(1);
  });

  test("of zeros have no length", () => {
    const zeros = windowOf(0, { top: [rowOf("a", { events: 0 })] });
    expect(barsOf(zeros, "events", 9)).toMatchObject({ bars: [{ share: 0 }], rest: undefined });
  });

  test("show the chosen number if the window has it", () => {
    expect(shownMeasure(window, "users")).toBe("users");
    expect(shownMeasure(window, "sum")).toBe("events");
    expect(shownMeasure(windowOf(0, { measures: [] }), "sum")).toBeUndefined();
  });
});

describe("series", () => {
  test("are rates between samples, with a gap where a count goes back", () => {
    const samples = [
      sampleOf(1_000, { received: 10 }),
      sampleOf(3_000, { received: 30 }),
      sampleOf(4_000, { received: 5 }),
    ];
    expect(seriesOf(samples)).toMatchObject({ at: [1, 3, 4], received: [null, 10, null] });
  });

  test("the recent rate is that of the last five seconds", () => {
    const samples = Array.from({ length: 10 }, (_, i) =>
      sampleOf(i * 1_000, { received: i < 5 ? 0 : (i - 4) * 100 }),
    );
    expect(recentRate(samples, ({ received }) => received)).toBe(100);
    expect(recentRate(samples.slice(0, 1), ({ received }) => received)).toBeNull();
    expect(recentRate([], ({ received }) => received)).toBeNull();
  });
});

test("of many partitions those are shown that hold the flow back, and the oldest", () => {
  const tasks = [
    taskOf("a", { watermarkAgeMs: 10 }),
    taskOf("b", { watermarkAgeMs: 900 }),
    taskOf("c", { watermarkAgeMs: 50, holdsFlowBack: true }),
  ];
  expect(shownTasks(tasks, 3)).toBe(tasks);
  expect(shownTasks(tasks, 2).map(({ part }) => part)).toEqual(["c", "b"]);
});

test("what is to be read is entries and events, and unknown if a partition does not say", () => {
  const [known, other, unknown] = [
    taskOf("a", { lagEntries: 3, queued: 20 }),
    taskOf("b", { lagEntries: 4 }),
    taskOf("c", { queued: 1 }),
  ];
  expect(unreadOf([known, other])).toEqual({ entries: 7, events: 20 });
  expect(unreadOf([known, unknown])).toEqual({ entries: null, events: 21 });
});

describe("the account", () => {
  const account = {
    received: 100,
    decoded: 96,
    malformed: 4,
    duplicates: 2,
    lost: 5,
    windowed: 96,
    counted: 90,
    late: 4,
    refused: 1,
    discarded: 3,
  };

  test("has parts that add up to what was published, received, and put into windows", () => {
    const { flow } = snapshotOf();
    const decode: Step = {
      id: "decode",
      operator: "decode",
      kind: "decode",
      inputs: [],
      ports: [],
      detail: null,
    };
    const step = { id: "windows", eventsIn: 96, eventsOut: {}, figures: { skipped: 1 } };
    const run = runOf({
      flow: { ...flow, steps: [...flow.steps, decode] },
      tasks: tasksOf(0, [taskOf("clicks", { steps: [step] })], account),
    });
    const sums = equations(run).map(({ name, total, parts }) => [
      name,
      total,
      parts.reduce((sum, { count }) => sum + count, 0),
    ]);
    expect(sums).toEqual([
      ["published", 107, 107],
      ["received", 100, 100],
      ["in windows", 96, 96],
    ]);
    expect(remarks(run)).toEqual([
      { name: "processed, and taken back when the store was", count: 3, is: "plain" },
    ]);
  });

  test("has the rows that were written, beside those that were flushed or committed", () => {
    const samples = [sampleOf(1_000, { rowsOut: 4 }), sampleOf(2_000, { rowsOut: 9 })];
    const run = runOf({
      tasks: tasksOf(2_000, [], { rowsOut: { out: 0 } }),
      history: { everyMs: 1_000, samples },
    });
    expect(outputRows(run)).toEqual({ written: 9, out: [["out", 0]] });
  });

  test("of a flow that decodes nothing has what is passed on", () => {
    const run = runOf({ tasks: tasksOf(0, [], { received: 10, malformed: 1 }) });
    expect(equations(run)[1]?.parts[0]).toEqual({ name: "passed on", count: 9, is: "good" });
  });
});

test("partitions without their connection are named, but not those that need none any more", () => {
  const tasks = [
    taskOf("a", { connected: false }),
    taskOf("b", { connected: true }),
    taskOf("c", { connected: null }),
    taskOf("d", { connected: false, phase: "ended" }),
  ];
  expect(cutOff(tasks)).toEqual(["a"]);
});

test("other workers are shown with their partitions as text, the largest first, and not all of many", () => {
  const otherOf = (worker: string, parts: number): OtherWorker => ({
    worker,
    host: null,
    leaseAgeMs: 100,
    leaving: false,
    parts: Array.from({ length: parts }, (_, part) => `{clicks:${part}}`),
  });
  expect(shownOthers([otherOf("a", 0), otherOf("b", 1), otherOf("c", 10)])).toMatchObject({
    shown: [
      {
        worker: "c",
        parts: expect.stringMatching(/^10 partitions: \{clicks:0\}, .*, \{clicks:7\} and 2 more$/),
      },
      { worker: "b", parts: "1 partition: {clicks:0}" },
      { worker: "a", parts: "no partition" },
    ],
    hidden: 0,
  });
  const many = Array.from({ length: 20 }, (_, worker) => otherOf(`w${worker}`, 1));
  expect(shownOthers(many)).toMatchObject({ shown: { length: 16 }, hidden: 4 });
});
