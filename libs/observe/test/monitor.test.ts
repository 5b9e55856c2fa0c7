import { describe, expect, test } from "@jest/globals";
import { FlowMonitor } from "../src/index.ts";
import { FakeRun, taskOf } from "./fake-run.ts";
import { observed } from "./support.ts";

describe("figures of tasks", () => {
  test("say what keeps each watermark back, and which one holds the flow", () => {
    const { monitor, run } = observed();
    const { source } = taskOf("x");
    run.tasks = [
      taskOf("a"),
      taskOf("b", { hold: "probe", watermark: 5_000 }),
      taskOf("c", { hold: "unread-events", source: { ...source, queued: 7 }, watermark: 6_000 }),
      taskOf("d", { source: { ...source, connected: false }, watermark: 7_000 }),
      taskOf("e", {
        source: { read: 0, duplicates: 0, lost: 0, queued: 0 },
        rejected: 0,
        watermark: undefined,
      }),
      taskOf("f", { phase: "ended", hold: "probe", watermark: 1 }),
      taskOf("g", { phase: "released", hold: "probe", watermark: 1 }),
    ];
    const { tasks } = monitor.tasks();
    expect(tasks.map(({ part, hold, holdsFlowBack }) => [part, hold, holdsFlowBack])).toEqual([
      ["a", "nothing", false],
      ["b", "probe", true],
      ["c", "unread-events", false],
      ["d", "disconnected", false],
      ["e", "no-events", false],
      ["f", "nothing", false],
      ["g", "nothing", false],
    ]);
    expect(tasks[0]?.holdReason).toBeNull();
    expect(tasks[2]?.holdReason).toMatch(/^7 events have arrived/);
    expect(tasks[3]?.holdReason).toMatch(/check that Redis runs/);
  });

  test("mark no task of one partition that nothing holds", () => {
    const { monitor } = observed();
    expect(monitor.tasks().tasks).toMatchObject([{ holdsFlowBack: false, watermarkAgeMs: 2_000 }]);
  });

  test("add up to the account", () => {
    const { monitor } = observed();
    expect(monitor.tasks().account).toMatchObject({
      received: 11,
      malformed: 1,
      counted: 9,
      late: 1,
      lost: 2,
      unaccounted: 0,
      uncertainSince: null,
    });
  });

  test("leave out what is no JSON number", () => {
    const { monitor, run } = observed();
    const [, windows] = taskOf("a").steps;
    if (windows === undefined) throw new Error("no such step");
    run.tasks = [
      taskOf("a", {
        steps: [{ ...windows, figures: { ...windows.figures, watermark: Number.NEGATIVE_INFINITY } }],
      }),
    ];
    expect(monitor.tasks().tasks[0]?.steps[0]?.figures).not.toHaveProperty("watermark");
  });
});

describe("readiness", () => {
  test("a worker that shares tasks is ready without one, and when another has them", () => {
    const { monitor, run } = observed();
    run.tasks = [taskOf("a", { phase: "released" })];
    expect(monitor.readiness()).toMatchObject({
      status: "ready",
      tasks: [{ part: "a", reason: "is with another worker" }],
    });
    run.tasks = [];
    run.standby = true;
    expect(monitor.readiness()).toEqual({ status: "ready", reason: null, tasks: [] });
  });

  test("needs a run with tasks that are open", () => {
    expect(new FlowMonitor().readiness()).toMatchObject({ status: "not-ready", tasks: [] });
    const { monitor, run } = observed();
    run.tasks = [taskOf("a"), taskOf("b", { phase: "starting" }), taskOf("c", { phase: "failed" })];
    expect(monitor.readiness()).toEqual({
      status: "not-ready",
      reason: "partition b: is starting, and 1 more",
      tasks: [
        { part: "a", ready: true, reason: null },
        { part: "b", ready: false, reason: "is starting" },
        { part: "c", ready: false, reason: "has failed; the log says why" },
      ],
    });
  });

  test("differs between no data and no connection", () => {
    const { monitor, run, time } = observed();
    const { source } = taskOf("x");
    run.tasks = [taskOf("a", { lastEventAt: 9_000 }), taskOf("b", { lastEventAt: undefined })];
    time.set(49_000);
    expect(monitor.readiness()).toMatchObject({
      status: "ready",
      tasks: [{ reason: "no data for 40 s" }, { reason: "no data yet" }],
    });
    run.tasks = [taskOf("a", { source: { ...source, connected: false } })];
    expect(monitor.readiness()).toMatchObject({
      status: "not-ready",
      tasks: [{ ready: false, reason: expect.stringMatching(/^not connected/) }],
    });
  });

  test.each([
    ["a batch", { phase: "running" as const }, "stalled: a batch is not done for 31 s"],
    ["a probe", { hold: "probe" as const }, "stalled: the source has not answered a probe for 31 s"],
  ])("ends while %s makes no progress", (_, changes, reason) => {
    const { monitor, run, time } = observed();
    monitor.sample();
    run.tasks = [taskOf("a", changes)];
    monitor.sample();
    time.set(40_000);
    expect(monitor.readiness().status).toBe("ready");
    time.set(41_000);
    expect(monitor.readiness().tasks).toMatchObject([{ ready: false, reason }]);
    monitor.rowsWritten({ part: "a", step: "out", rows: 1, startedAt: 0, durationMs: 1 });
    expect(monitor.readiness().status).toBe("ready");
  });
});

describe("history and dead letters", () => {
  test("the last 600 samples are kept", () => {
    const { monitor, time } = observed(0);
    for (let second = 1; second <= 700; second += 1) {
      time.set(second * 1_000);
      monitor.sample();
    }
    const { samples, everyMs } = monitor.history();
    expect(everyMs).toBe(1_000);
    expect(samples).toHaveLength(600);
    expect(samples.at(-1)).toMatchObject({ at: 700_000, received: 11, commits: 2, lagMs: 1_500 });
    expect(samples[0]?.at).toBe(101_000);
  });

  test("rows out are those that sinks have accepted and those that have left with commits", () => {
    const { monitor } = observed();
    monitor.rowsWritten({ part: "a", step: "out", rows: 3, startedAt: 0, durationMs: 1 });
    const commit = {
      part: "a",
      startedAt: 0,
      durationMs: 1,
      number: 1,
      changes: 1,
      bytes: 1,
      partial: false,
    };
    monitor.commitDone({ ...commit, rows: 4 });
    expect(monitor.sample().sample).toMatchObject({ rowsOut: 7 });
  });

  test("ages are those of tasks that go on", () => {
    const { monitor, run } = observed();
    run.tasks = [taskOf("a"), taskOf("b", { phase: "ended", lagMs: 5_000, watermark: 0 })];
    expect(monitor.sample().sample).toMatchObject({ lagMs: 1_500, watermarkAgeMs: 2_000, commits: 4 });
    run.tasks = [taskOf("b", { phase: "failed" })];
    expect(monitor.sample().sample).toMatchObject({ lagMs: null, watermarkAgeMs: null });
  });

  test("the newest 100 dead letters are kept, cut, and all are counted by a bounded number of reasons", () => {
    const { monitor } = observed();
    for (let i = 1; i <= 250; i += 1) {
      monitor.deadLetter({
        step: "decode",
        part: "a",
        reason: { code: `code-${i}`, message: "m".repeat(2_000) },
        payload: "p".repeat(5_000),
      });
    }
    const { total, reasons, letters } = monitor.deadLetters();
    expect(total).toBe(250);
    expect(Object.keys(reasons)).toHaveLength(101);
    expect(reasons["other"]).toBe(150);
    expect(letters.map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, i) => 250 - i));
    expect(letters[0]).toMatchObject({ at: 10_000, payload: "p".repeat(1_000), message: "m".repeat(500) });
  });

  test("a new run begins with none", () => {
    const { monitor, time } = observed();
    monitor.deadLetter({ step: "s", part: "a", reason: { code: "c", message: "m" }, payload: "" });
    monitor.sample();
    time.set(20_000);
    monitor.started(new FakeRun());
    expect(monitor.deadLetters()).toEqual({ total: 0, reasons: {}, letters: [] });
    expect(monitor.history().samples).toEqual([]);
    expect(monitor.flow().startedAt).toBe(20_000);
  });
});

describe("an observer that follows", () => {
  const reports = (monitor: FlowMonitor): void => {
    const timed = { part: "a", startedAt: 0, durationMs: 1 };
    monitor.started(new FakeRun());
    monitor.batchDone({ ...timed, events: 1 });
    monitor.resultsEmitted({ part: "a", step: "s", at: 0, results: [] });
    monitor.rowsWritten({ ...timed, step: "out", rows: 1 });
    monitor.commitDone({ ...timed, number: 1, changes: 1, rows: 1, bytes: 1, partial: false });
    monitor.deadLetter({ step: "s", part: "a", reason: { code: "c", message: "m" }, payload: "" });
  };
  const names = ["started", "batchDone", "resultsEmitted", "rowsWritten", "commitDone", "deadLetter"];

  test("gets all reports, until it ends that", () => {
    const { monitor } = observed();
    const seen: string[] = [];
    const observer = Object.fromEntries(names.map((name) => [name, () => void seen.push(name)]));
    const unfollow = monitor.follow(observer, () => undefined);
    reports(monitor);
    expect(seen).toEqual(names);
    unfollow();
    reports(monitor);
    expect(seen).toHaveLength(names.length);
  });

  test.each(names)("and fails in %s is reported once, and disturbs no other one", async (name) => {
    const { monitor } = observed();
    const errors: unknown[] = [];
    const note = (error: unknown): void => void errors.push(error);
    const thrown = new Error("thrown");
    const rejected = new Error("rejected");
    monitor.follow(
      {
        [name]: () => {
          throw thrown;
        },
      },
      note,
    );
    monitor.follow({ [name]: () => Promise.reject(rejected) }, note);
    const others: string[] = [];
    monitor.follow({ [name]: () => void others.push(name) }, note);
    reports(monitor);
    await Promise.resolve();
    reports(monitor);
    await Promise.resolve();
    expect(errors).toEqual([thrown, rejected]);
    expect(others).toEqual([name, name]);
  });
});
