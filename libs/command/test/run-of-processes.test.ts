import { describe, expect, test } from "@jest/globals";
import { SILENT_LOGGER } from "@millrace/dataflow";
import type { FlowStats, ObservedRun, PartResult, RunObserver, TaskStats } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { ParentObserver } from "../src/running/parent-observer.ts";
import { RunOfProcesses } from "../src/running/run-of-processes.ts";
import type { Observed } from "../src/running/worker-messages.ts";

function taskOf(part: string, read: number, more: Partial<TaskStats> = {}): TaskStats {
  return {
    part,
    phase: "waiting",
    source: { read, duplicates: 0, lost: 0, queued: 3 },
    rejected: 0,
    discarded: 0,
    uncommitted: 0,
    dropped: 0,
    reloads: 0,
    batches: 1,
    lastBatchMs: 5,
    longestBatchMs: read,
    commits: 1,
    drainedAt: undefined,
    lagMs: undefined,
    hold: "probe",
    watermark: read,
    lastEventAt: undefined,
    lastCommit: undefined,
    steps: [
      {
        id: "per-minute",
        operator: "window",
        kind: "windows",
        eventsIn: read,
        eventsOut: { down: 1 },
        figures: { counted: read, windows: 2, watermark: read },
      },
    ],
    ...more,
  };
}

function messageOf(tasks: readonly TaskStats[], more: Partial<Observed> = {}): Observed {
  const standby = tasks.length === 0 ? { standby: true as const } : {};
  return {
    kind: "observed",
    description: { flow: "clicks", steps: [] },
    stats: { flow: "clicks", tasks, ...standby },
    openWindows: [],
    batches: [],
    results: [],
    rows: [],
    commits: [],
    deadLetters: [],
    ...more,
  };
}

const phasesOf = ({ tasks }: FlowStats): object =>
  Object.fromEntries(tasks.map(({ part, phase }) => [part, phase]));

describe("the runs of several processes as one", () => {
  test("begin once, and pass on what each of them reports", () => {
    const seen: string[] = [];
    const observer: RunObserver = {
      started: ({ description }) => seen.push(`started ${description.flow}`),
      commitDone: ({ part }) => seen.push(`commit of ${part}`),
    };
    const run = new RunOfProcesses([observer], SILENT_LOGGER);
    const commit = { startedAt: 1, durationMs: 2, number: 1, changes: 0, rows: 0, bytes: 1, partial: false };
    run.take(1, messageOf([taskOf("a", 1)], { commits: [{ part: "a", ...commit }] }));
    run.take(2, messageOf([taskOf("b", 1)], { commits: [{ part: "b", ...commit }] }));
    expect(seen).toEqual(["started clicks", "commit of a", "commit of b"]);
  });

  test("an observer that fails is logged once, and the run continues", () => {
    const warned: string[] = [];
    const logger = { ...SILENT_LOGGER, warn: (_: object, message: string) => warned.push(message) };
    const failing: RunObserver = {
      started: () => {
        throw new Error("no room");
      },
      batchDone: () => {
        throw new Error("no room");
      },
    };
    const run = new RunOfProcesses([failing], logger);
    const batch = { part: "a", startedAt: 1, durationMs: 2, events: 1 };
    for (const process of [1, 2]) run.take(process, messageOf([taskOf("a", 1)], { batches: [batch] }));
    expect(warned).toEqual(["what the processes do is not shown: no room"]);
  });

  test("have each partition once: the counts of all processes, and the state of the one that has it", () => {
    const run = new RunOfProcesses([], SILENT_LOGGER);
    run.take(2, messageOf([taskOf("a", 10)]));
    run.take(1, messageOf([taskOf("a", 7, { phase: "released" })]));
    expect(run.stats().tasks).toMatchObject([
      {
        phase: "waiting",
        watermark: 10,
        batches: 2,
        longestBatchMs: 10,
        source: { read: 17, queued: 3 },
        steps: [
          { eventsIn: 17, eventsOut: { down: 2 }, figures: { counted: 17, windows: 2, watermark: 10 } },
        ],
      },
    ]);
  });

  test("are on standby if all of them are", () => {
    const run = new RunOfProcesses([], SILENT_LOGGER);
    expect(run.stats()).toEqual({ flow: "", tasks: [] });
    run.take(1, messageOf([]));
    expect(run.stats()).toEqual({ flow: "clicks", tasks: [], standby: true });
    run.take(2, messageOf([taskOf("a", 1)]));
    expect(run.stats().standby).toBeUndefined();
  });

  test("a process that died has failed tasks, until another one has them or it is started again", () => {
    const run = new RunOfProcesses([], SILENT_LOGGER);
    run.take(1, messageOf([taskOf("a", 10), taskOf("b", 20)]));
    run.take(2, messageOf([]));
    run.end(1);
    expect(phasesOf(run.stats())).toEqual({ a: "failed", b: "failed" });
    run.take(2, messageOf([taskOf("a", 1)]));
    expect(phasesOf(run.stats())).toEqual({ a: "waiting", b: "failed" });
    run.take(1, messageOf([taskOf("b", 2)]));
    expect(phasesOf(run.stats())).toEqual({ a: "waiting", b: "waiting" });
    expect(run.stats().tasks.map(({ source }) => source.read)).toEqual([11, 22]);
    run.end(1);
    run.take(1, messageOf([]));
    expect(run.stats().tasks.map(({ source }) => source.read)).toEqual([11, 22]);
  });
});

describe("a worker's messages to its parent", () => {
  const observed: ObservedRun = {
    description: { flow: "clicks", steps: [] },
    stats: () => ({ flow: "clicks", tasks: [] }),
    openWindows: () => [],
  };
  const resultOf = (value: unknown): PartResult<unknown> => ({
    key: "k",
    value,
    part: "a",
    window: { id: 0, open: 0, close: 60_000, mergedIds: [] },
    revision: 0,
    cause: "watermark",
    complete: true,
  });

  test("have what happened since the last one, four times a second and at the end", async () => {
    const time = new VirtualTime(0);
    const sent: Observed[] = [];
    const observer = new ParentObserver((message) => Promise.resolve(void sent.push(message)), time);
    observer.started(observed);
    await time.yield();
    observer.rowsWritten({ part: "a", step: "out", rows: 2, startedAt: 0, durationMs: 1 });
    observer.deadLetter({
      step: "decode",
      part: "a",
      reason: { code: "JSON", message: "no JSON" },
      payload: "x".repeat(5_000),
    });
    time.set(250);
    await time.yield();
    observer.rowsWritten({ part: "a", step: "out", rows: 3, startedAt: 0, durationMs: 1 });
    await observer.close();
    time.set(1_250);
    await time.yield();
    expect(sent.map(({ rows }) => rows.map((each) => each.rows))).toEqual([[], [2], [3]]);
    expect(sent[1]?.deadLetters[0]?.payload).toHaveLength(1_000);
  });

  test("have open windows as they were, if to look takes long", async () => {
    const time = new VirtualTime(0);
    let looks = 0;
    const slow: ObservedRun = {
      ...observed,
      openWindows: () => {
        looks += 1;
        time.set(time.now() + 10);
        return [];
      },
    };
    const observer = new ParentObserver(() => Promise.resolve(), time);
    observer.started(slow);
    await time.yield();
    for (const expected of [1, 1, 1, 2]) {
      expect(looks).toBe(expected);
      time.set(time.now() + 330);
      await time.yield();
    }
    await observer.close();
    expect(looks).toBe(3);
  });

  test("leave out the oldest rows of results when a parent does not read", async () => {
    const sent: Observed[] = [];
    const observer = new ParentObserver(
      (message) => Promise.resolve(void sent.push(message)),
      new VirtualTime(0),
    );
    observer.started(observed);
    const page = Array.from({ length: 20_000 }, () => resultOf(1));
    for (const at of [1, 2, 3]) observer.resultsEmitted({ part: "a", step: "windows", at, results: page });
    await observer.close();
    expect(sent.at(-1)?.results.map(({ at }) => at)).toEqual([2, 3]);
  });

  test("have the JSON of values that cannot be copied", async () => {
    const sent: Observed[] = [];
    const send = (message: Observed): Promise<void> =>
      Promise.resolve(void sent.push(structuredClone(message)));
    const observer = new ParentObserver(send, new VirtualTime(0));
    observer.started(observed);
    const value = { events: 3, next: () => undefined };
    observer.resultsEmitted({ part: "a", step: "windows", at: 1, results: [resultOf(value), resultOf(4n)] });
    await observer.close();
    expect(sent.at(-1)?.results[0]?.results.map((each) => each.value)).toEqual([{ events: 3 }, null]);
  });
});
