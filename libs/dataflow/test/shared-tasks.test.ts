import { describe, expect, test } from "@jest/globals";
import {
  JsonlFileSink,
  MemoryStore,
  MillraceError,
  SILENT_LOGGER,
  STATE_FORMAT,
  mapRows,
  reconcile,
} from "@millrace/dataflow";
import type { Commit, CommitOutcome, RunOptions, Source } from "@millrace/dataflow";
import { FlowDriver, TestingSource } from "@millrace/dataflow/testing";
import { HandAssignment } from "./support/hand-assignment.ts";
import { listed, listing, listingTask } from "./support/listing-flow.ts";
import { loggerOf } from "./support/logger-of.ts";

const PARTS = ["0", "1"];

interface Rig {
  readonly source: TestingSource<number>;
  readonly store: MemoryStore;
  readonly assignment: HandAssignment;
  readonly driver: FlowDriver;
}

async function rig(options: Partial<RunOptions> = {}): Promise<Rig> {
  const source = new TestingSource<number>({ parts: PARTS });
  const store = new MemoryStore();
  const assignment = new HandAssignment();
  const driver = await FlowDriver.start(listing(source, store), {
    store,
    assignment,
    commitEveryEvents: 1,
    logger: SILENT_LOGGER,
    ...options,
  });
  return { source, store, assignment, driver };
}

async function push({ source, driver }: Rig, part: string, ...events: readonly number[]): Promise<void> {
  source.push(events, { part });
  await driver.settle();
}

/** A source like Pub/Sub. */
function withoutEvents(): Source<number> {
  const source = new TestingSource<number>({ parts: PARTS });
  const { partitioning } = source;
  return {
    partitioning,
    keepsEvents: false,
    listParts: () => source.listParts(),
    buildPart: (...of) => source.buildPart(...of),
  };
}

class Away extends MillraceError {
  readonly code = "MILLRACE_TEST_AWAY";
  override readonly retryable = true;
}

/** A source whose partitions cannot be opened for the first attempts. */
function awayFor(attempts: number, source: TestingSource<number>): Source<number> {
  const { partitioning } = source;
  let left = attempts;
  return {
    partitioning,
    listParts: () => source.listParts(),
    buildPart: (...of) =>
      left-- > 0 ? Promise.reject(new Away("the server is away.")) : source.buildPart(...of),
  };
}

/** Another worker takes the task over, and commits. @returns the next commit of that worker */
async function takeOver(
  { store }: Pick<Rig, "store">,
  part: string,
  ofItsVersion: Partial<Pick<Commit, "format" | "signature">> = {},
): Promise<() => Promise<CommitOutcome>> {
  const other = await store.acquire(listingTask(part));
  const state = await other.load();
  if (state === undefined) throw new Error("nothing was committed");
  const { commitNumber, format, signature, position, sinks } = state;
  const unchanged = { changes: [], outputs: [], partial: false, watermark: null, counts: ["other", 0] };
  const commit = { format, signature, position, sinks, ...unchanged, ...ofItsVersion };
  await other.commit({ number: commitNumber + 1, ...commit });
  return () => other.commit({ number: commitNumber + 2, ...commit });
}

/** Commits to a store that can be held in flight. */
function holdCommits(store: MemoryStore): {
  close(): void;
  open(): void;
  /** Resolves when a commit waits. */
  readonly waiting: Promise<void>;
} {
  const acquire = store.acquire.bind(store);
  let waits: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => (waits = resolve));
  let opened: Promise<void> | undefined;
  let open: () => void = () => undefined;
  store.acquire = async (task) => {
    const acquired = await acquire(task);
    const commit = acquired.commit.bind(acquired);
    acquired.commit = async (changes) => {
      if (opened !== undefined) waits();
      await opened;
      return commit(changes);
    };
    return acquired;
  };
  return {
    close: () => {
      opened = new Promise((resolve) => (open = resolve));
    },
    open: () => {
      open();
    },
    waiting,
  };
}

describe("a worker with a shared assignment", () => {
  test.each([
    ["a newer format", { format: STATE_FORMAT + 1 }, "MILLRACE_STATE_FORMAT"],
    ["a step that it does not have", { signature: "listing v1; more: stateful" }, "MILLRACE_STATE_MISMATCH"],
  ])("that gets a task of a newer version leaves it as it is and ends: %s", async (_, newer, code) => {
    const at = await rig();
    for (const part of PARTS) at.assignment.tasks.assigned(part);
    for (const part of PARTS) await push(at, part, 1);
    const committing = at.assignment.tasks.revoked("1");
    await at.driver.settle();
    await committing;
    const commitAgain = await takeOver(at, "1", newer);
    await push(at, "0", 2);
    at.assignment.tasks.assigned("1");
    await expect(at.driver.done).rejects.toMatchObject({ code });
    // It has committed its other task, and the newer version still owns its own.
    expect(listed(at.store, "0")).toEqual([1, 2]);
    expect(await commitAgain()).toMatchObject({ kind: "applied" });
  });

  test("waits without a task, opens those it is given, and ends when it is stopped", async () => {
    const at = await rig();
    expect(at.driver.stats()).toEqual({ flow: "listing", tasks: [], standby: true });
    at.source.push([1], { part: "0" });
    await at.driver.advanceBy(60_000);
    expect(listed(at.store, "0")).toEqual([]);
    at.assignment.tasks.assigned("0");
    await push(at, "0", 2);
    expect(listed(at.store, "0")).toEqual([1, 2]);
    expect(at.driver.stats().tasks).toMatchObject([{ part: "0", phase: "waiting", source: { read: 2 } }]);
    expect((await at.driver.stop()).tasks).toMatchObject([{ part: "0", phase: "released" }]);
    expect(at.assignment.left).toBe(1);
  });

  test("has committed and closed a task when its revocation resolves", async () => {
    const at = await rig({ commitEveryEvents: 1_000, commitEveryMs: 1e9 });
    for (const part of PARTS) at.assignment.tasks.assigned(part);
    await push(at, "0", 1, 2, 3);
    expect(listed(at.store, "0")).toEqual([]);
    await at.assignment.tasks.revoked("0");
    expect(listed(at.store, "0")).toEqual([1, 2, 3]);
    await push(at, "0", 4);
    await push(at, "1", 5);
    const { tasks } = await at.driver.stop();
    expect(tasks).toMatchObject([
      { part: "0", phase: "released", source: { read: 3 }, uncommitted: 0 },
      { part: "1", source: { read: 1 } },
    ]);
    expect([listed(at.store, "0"), listed(at.store, "1")]).toEqual([[1, 2, 3], [5]]);
  });

  test("commits nothing more of a task that is lost", async () => {
    const at = await rig({ commitEveryEvents: 1_000, commitEveryMs: 1e9 });
    at.assignment.tasks.assigned("0");
    await push(at, "0", 1, 2);
    at.assignment.tasks.lost("0");
    await at.driver.settle();
    expect(at.driver.stats().tasks).toMatchObject([
      { phase: "released", source: { read: 0 }, uncommitted: 2 },
    ]);
    at.assignment.tasks.assigned("0");
    await at.driver.settle();
    const stats = await at.driver.stop();
    expect(stats.tasks).toMatchObject([{ source: { read: 2 }, uncommitted: 2, discarded: 0 }]);
    expect(listed(at.store, "0")).toEqual([1, 2]);
  });

  test("counts a commit that was in flight when its task was lost, and was made after all", async () => {
    const { logger, logged } = loggerOf();
    const at = await rig({ logger });
    const gate = holdCommits(at.store);
    at.assignment.tasks.assigned("0");
    await push(at, "0", 1, 2);
    gate.close();
    at.source.push([3, 4, 5], { part: "0" });
    await gate.waiting;
    at.assignment.tasks.lost("0");
    gate.open();
    await at.driver.settle();
    at.assignment.tasks.assigned("0");
    await at.driver.settle();
    const stats = await at.driver.stop();
    expect(listed(at.store, "0")).toEqual([1, 2, 3, 4, 5]);
    expect(stats.tasks).toMatchObject([{ source: { read: 5 }, uncommitted: 0, discarded: 0 }]);
    expect(logged("warn")).not.toContainEqual(expect.objectContaining({ event: "close-failed" }));
  });

  test("counts on where it was when a task comes back, also if another worker had it in between", async () => {
    const at = await rig();
    at.assignment.tasks.assigned("0");
    await push(at, "0", 1, 2);
    await at.assignment.tasks.revoked("0");
    at.assignment.tasks.assigned("0");
    await push(at, "0", 3);
    await at.assignment.tasks.revoked("0");
    await takeOver(at, "0");
    at.assignment.tasks.assigned("0");
    await push(at, "0", 4, 5);
    const stats = await at.driver.stop();
    expect(stats.tasks).toMatchObject([{ source: { read: 5 }, discarded: 0, uncommitted: 0, reloads: 0 }]);
    expect(reconcile(stats)).toMatchObject({ received: 5, unaccounted: 0 });
  });

  test("drops a task that another worker has, and keeps the others", async () => {
    const { logger, logged } = loggerOf();
    const at = await rig({ logger });
    for (const part of PARTS) at.assignment.tasks.assigned(part);
    await push(at, "0", 1);
    await takeOver(at, "0");
    at.assignment.answers.set("0", false);
    await push(at, "0", 2);
    await push(at, "1", 3);
    expect(at.driver.stats().tasks).toMatchObject([
      { part: "0", phase: "released", source: { read: 1 }, uncommitted: 1, dropped: 1 },
      { part: "1", phase: "waiting", source: { read: 1 }, dropped: 0 },
    ]);
    expect(logged("warn")).toMatchObject([{ event: "task-dropped", part: "0" }]);
    at.assignment.tasks.assigned("0");
    await at.driver.settle();
    await at.driver.stop();
    expect([listed(at.store, "0"), listed(at.store, "1")]).toEqual([[1, 2], [3]]);
  });

  test("opens a fenced task again if the assignment confirms that it is this worker's", async () => {
    const at = await rig();
    at.assignment.tasks.assigned("0");
    await push(at, "0", 1);
    // A worker that was given it earlier, and was late to open it.
    await at.store.acquire(listingTask("0"));
    await push(at, "0", 2);
    expect(at.assignment.confirmed).toEqual(["0"]);
    expect(listed(at.store, "0")).toEqual([1, 2]);
    expect(at.driver.stats().tasks).toMatchObject([{ phase: "waiting", dropped: 1, source: { read: 2 } }]);
    await at.driver.stop();
  });

  test("a task that is given back while it is being dropped is opened", async () => {
    const at = await rig();
    at.assignment.tasks.assigned("0");
    await push(at, "0", 1);
    at.assignment.tasks.lost("0");
    at.assignment.tasks.assigned("0");
    await push(at, "0", 2);
    expect(listed(at.store, "0")).toEqual([1, 2]);
    await at.driver.stop();
  });

  test("opens a task later if what it reads is away, as long as it is to have the task", async () => {
    const { logger, logged } = loggerOf();
    const source = new TestingSource<number>({ parts: PARTS });
    const store = new MemoryStore();
    const assignment = new HandAssignment();
    const options = { store, assignment, logger, commitEveryEvents: 1 };
    const driver = await FlowDriver.start(listing(awayFor(3, source), store), options);
    assignment.tasks.assigned("0");
    source.push([1], { part: "0" });
    await driver.settle();
    expect(logged("warn")).toMatchObject([
      { event: "task-not-opened", part: "0", code: "MILLRACE_TEST_AWAY", pauseMs: 0 },
      { event: "task-not-opened", pauseMs: 100 },
    ]);
    await assignment.tasks.revoked("0");
    await driver.advanceBy(1_000);
    expect(listed(store, "0")).toEqual([]);
    assignment.tasks.assigned("0");
    await driver.advanceBy(1_000);
    expect(listed(store, "0")).toEqual([1]);
    await driver.stop();
  });

  test("leaves, and then fails, when a task fails or the membership does", async () => {
    const at = await rig();
    for (const part of PARTS) at.assignment.tasks.assigned(part);
    await push(at, "1", 1);
    at.source.fail(new Error("gone"), "0");
    await expect(at.driver.done).rejects.toMatchObject({ code: "MILLRACE_SOURCE_FAILED" });
    expect(at.assignment.left).toBe(1);
    expect(at.driver.stats().tasks).toMatchObject([{ phase: "failed" }, { phase: "released" }]);

    const other = await rig();
    other.assignment.tasks.failed(new Error("no permission"));
    await expect(other.driver.done).rejects.toThrow("no permission");
    expect(other.assignment.left).toBe(1);
  });

  test("aborts a task that does not finish in time, so that another worker can have it", async () => {
    const source = new TestingSource<number>({ parts: PARTS });
    const store = new MemoryStore();
    const assignment = new HandAssignment();
    const none = (): Promise<void> => Promise.resolve();
    const stuck = {
      buildPart: () =>
        Promise.resolve({ writeBatch: () => new Promise<void>(() => undefined), flush: none, close: none }),
    };
    const driver = await FlowDriver.start(listing(source, store, stuck), {
      store,
      assignment,
      logger: SILENT_LOGGER,
      drainTimeoutMs: 500,
    });
    assignment.tasks.assigned("0");
    await driver.settle();
    source.push([1], { part: "0" });
    for (let turn = 0; turn < 5; turn++) await driver.time.yield();
    const revoked = assignment.tasks.revoked("0");
    driver.time.set(driver.time.now() + 500);
    await revoked;
    expect(driver.stats().tasks).toMatchObject([{ phase: "released", uncommitted: 1 }]);
    await driver.stop();
  });

  const store = new MemoryStore();
  const source = new TestingSource<number>({ parts: PARTS });
  const refusals: readonly (readonly [string, RunOptions, Source<number> | undefined, RegExp])[] = [
    ["it has no store", {}, undefined, /no store/],
    ["its tasks are named", { store, parts: ["0"] }, undefined, /leave parts out/],
    ["it is to end when it is idle", { store, exitWhenIdleMs: 1_000 }, undefined, /stop the workers/],
    ["its source keeps no events", { store }, withoutEvents(), /would be lost/],
  ];
  test.each(refusals)("is refused if %s", async (_, options, other, message) => {
    const flow = listing(other ?? source, store);
    const started = FlowDriver.start(flow, { ...options, assignment: new HandAssignment() });
    await expect(started).rejects.toThrow(message);
  });

  test("is refused if its rows go into a local file, also through mapRows", async () => {
    const file = new JsonlFileSink<unknown>("/nowhere/rows-{part}.jsonl");
    for (const sink of [file, mapRows(file, String)]) {
      const options = { store, assignment: new HandAssignment() };
      await expect(FlowDriver.start(listing(source, store, sink), options)).rejects.toMatchObject({
        code: "MILLRACE_FLOW_INVALID",
        message: expect.stringMatching(/file of this process.*all workers reach/),
      });
    }
  });
});
