import { describe, expect, test } from "@jest/globals";
import { previewStart } from "@millrace/dataflow";
import type { Store } from "@millrace/dataflow";
import { FlowDriver, TestingSink } from "@millrace/dataflow/testing";
import { count, migrated, sum } from "@millrace/windowing";
import { Deployments, TASK, byParity, refusing, summed, total, windowed } from "./support/deployments.ts";
import type { Build } from "./support/deployments.ts";

/** From the state of `total` to that of `summed`. */
const migrate = (old: unknown): { sum: number; events: number } => ({ sum: Number(old), events: 0 });

/** A version of `total` that migrates. */
const migrating = (of: (old: unknown) => number): Build => total("total", { version: 2, migrate: of });

/** Whether a stored state is a counter. */
function isCounter(old: unknown): old is { n: number } {
  return typeof old === "object" && old !== null && "n" in old && typeof old.n === "number";
}

describe("a step whose state has a new form", () => {
  test("migrates each key's state once, also of keys that have no further event", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1, 2, 3]);
    expect(await deployments.run(summed({ migrate }), [5])).toEqual([{ sum: 9, events: 1 }]);
    expect(await deployments.groups()).toEqual({
      "total/keys": { odd: { state: { sum: 9, events: 1 } }, even: { state: { sum: 2, events: 0 } } },
    });
    // The version without migrate continues from there.
    expect(await deployments.run(summed(), [4])).toEqual([{ sum: 6, events: 1 }]);
    // The version before does not, and changes nothing.
    await expect(deployments.run(total(), [])).rejects.toThrow(/kept stateful v2, now stateful/);
    expect(await deployments.run(summed(), [2])).toEqual([{ sum: 8, events: 2 }]);
  });

  test("does not migrate that of a later version, which it does not know", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    await deployments.run(summed({ migrate }), [3]);
    await deployments.run(summed({ version: 3, migrate: () => ({ sum: 0, events: 0 }) }), [5]);
    await expect(deployments.run(summed({ migrate }), [])).rejects.toThrow(
      /kept stateful v3, now stateful v2/,
    );
  });

  test("leaves the running worker and the state alone where migrate throws", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    const rows = new TestingSink<unknown>();
    const running = await FlowDriver.start(deployments.flow(total(), rows), { store: deployments.store });
    await expect(deployments.run(migrating(refusing), [])).rejects.toMatchObject({
      code: "MILLRACE_STATE_INVALID",
      message: expect.stringContaining('step "total", key "odd": migrate threw: no such field'),
    });
    expect(
      await previewStart(deployments.flow(migrating(refusing)), TASK.part, { store: deployments.store }),
    ).toMatchObject({
      comparison: [
        { change: "refused", step: "total", why: expect.stringContaining("no such field"), droppable: false },
      ],
      error: { code: "MILLRACE_STATE_INVALID" },
    });
    deployments.source.push([3]);
    await running.settle();
    await running.stop();
    expect(rows.rows).toEqual([4]);
  });

  test("keeps what is stored where a migrate changes what it gets", async () => {
    const versioned = (version: number, fails = false): Build =>
      byParity(
        "total",
        () => ({ n: 0 }),
        (state, n) => ({ n: state.n + n }),
        {
          version,
          migrate: (old) => {
            if (!isCounter(old)) return refusing();
            old.n += 100;
            return fails ? refusing() : old;
          },
        },
      );
    const deployments = new Deployments();
    await deployments.run(versioned(1), [1]);
    await expect(deployments.run(versioned(2, true), [])).rejects.toThrow("no such field");
    expect(await deployments.run(versioned(2), [1])).toEqual([{ n: 102 }]);
  });

  test("leaves the running worker alone where the migrate of a fold throws", async () => {
    const deployments = new Deployments();
    const rows = new TestingSink<unknown>();
    const { store } = deployments;
    await deployments.run(windowed("w"), [1, 2]);
    const running = await FlowDriver.start(deployments.flow(windowed("w"), rows), { store });
    const refused = windowed("w", [], migrated(sum(Number), count(), refusing));
    const message =
      'step "w.n", key "all": the accumulator cannot be migrated: no such field. Nothing was changed.';
    await expect(deployments.run(refused, [])).rejects.toMatchObject({
      code: "MILLRACE_STATE_INVALID",
      message,
    });
    expect(await previewStart(deployments.flow(refused), TASK.part, { store })).toMatchObject({
      comparison: [{ change: "refused", step: "w.n", why: message, droppable: false }],
      error: { code: "MILLRACE_STATE_INVALID" },
    });
    deployments.source.push([3]);
    await running.settle();
    await running.advanceBy(1_000);
    await running.stop();
    expect(rows.rows).toEqual([3]);
  });

  test("has it read before the task is acquired, as no other step has, and again if its owner commits in between", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    const reads: string[] = [];
    let commits = 0;
    const store: Store = {
      async look(task, wanted) {
        const head = await deployments.store.look(task, wanted);
        if (wanted?.("total/keys") !== true || head === undefined)
          return head && { ...head, commitNumber: commits };
        commits += 1;
        reads.push("total/keys");
        // The first read has more of a commit than it says.
        return reads.length > 1
          ? { ...head, commitNumber: commits }
          : { ...head, commitNumber: 0, groups: [["total/keys", [["odd", { state: "torn" }]]]] };
      },
      acquire: (task) => deployments.store.acquire(task),
      close: () => Promise.resolve(),
    };
    const start = async (build: Build): Promise<void> => {
      const driver = await FlowDriver.start(deployments.flow(build), { store });
      await driver.settle();
      await driver.stop();
    };
    await start(total());
    expect(reads).toEqual([]);
    commits = 1;
    const whole = (old: unknown): number => (typeof old === "number" ? old : refusing());
    await start(migrating(whole));
    expect(reads).toHaveLength(2);
    expect(await deployments.run(migrating(whole), [3])).toEqual([4]);
  });
});

test("a preview of a start has every step whose migrate throws", async () => {
  const several =
    (version: number): Build =>
    (flow, source, rows) => {
      const keyed = flow.input("in", source).keyBy("key", String);
      for (const id of ["a", "b", "c"]) {
        const migrate = (old: unknown): number => (id === "c" ? Number(old) : refusing());
        const options = { version, migrate };
        keyed
          .statefulMap(
            id,
            () => 0,
            (sum, n) => [sum + n, sum + n],
            options,
          )
          .output(`${id}_out`, rows);
      }
    };
  const deployments = new Deployments();
  await deployments.run(several(1), [1]);
  const { comparison, error } = await previewStart(deployments.flow(several(2)), TASK.part, {
    store: deployments.store,
  });
  expect(comparison.map(({ step, change }) => [step, change])).toEqual([
    ["a", "refused"],
    ["b", "refused"],
    ["c", "migrated"],
  ]);
  expect(error).toMatchObject({ message: expect.stringContaining('step "a", key "1"') });
  await expect(deployments.run(several(2), [])).rejects.toThrow('step "a", key "1"');
});
