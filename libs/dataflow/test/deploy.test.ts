import { describe, expect, test } from "@jest/globals";
import { Dataflow, STATE_FORMAT, StateFormatError, compareState, previewStart } from "@millrace/dataflow";
import type { Commit, Source, Store } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { Deployments, TASK, summed, total, windowed } from "./support/deployments.ts";
import type { Build } from "./support/deployments.ts";

/** `total`, with a step that remembers what it has seen. */
const withMore: Build = (flow, source, rows) => {
  const input = flow.input("in", source);
  input.deduplicate("seen", String, { within: "1h" }).output("once", rows);
  input
    .keyBy("key", (n) => (n % 2 === 0 ? "even" : "odd"))
    .statefulMap(
      "total",
      () => 0,
      (sum, n) => [sum + n, sum + n],
    )
    .output("out", rows);
};

describe("a step that is added", () => {
  test("begins empty, which is logged once, and the others continue", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1, 3]);
    expect(await deployments.run(withMore, [1, 1])).toEqual([1, 5, 6]);
    expect(deployments.logged.filter((line) => line.includes("begins empty"))).toEqual([
      'step "seen" is new to the stored state: it begins empty',
    ]);
    await deployments.run(withMore, [1]);
    expect(deployments.logged.filter((line) => line.includes("begins empty"))).toEqual([]);
  });
});

describe("a step that is removed", () => {
  test("is refused by its name, until its state may be dropped", async () => {
    const deployments = new Deployments();
    await deployments.run(withMore, [1, 3]);
    await expect(deployments.run(total(), [])).rejects.toMatchObject({
      code: "MILLRACE_STATE_MISMATCH",
      message: expect.stringMatching(
        /step "seen" had state \(deduplicate\), and is removed or has none now\..*--drop-state=seen/,
      ),
    });
    expect(Object.keys(await deployments.groups())).toContain("seen/ids");
    expect(await deployments.run(total(), [5], { dropState: ["seen"] })).toEqual([9]);
    expect(await deployments.groups()).toEqual({ "total/keys": { odd: { state: 9 } } });
    // A manifest keeps the option: it has nothing to do any more.
    expect(await deployments.run(total(), [7], { dropState: ["seen"] })).toEqual([16]);
  });

  test("does not lose state that the flow can continue from, whatever dropState names", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    expect(await deployments.run(total(), [3], { dropState: ["total"] })).toEqual([4]);
  });
});

describe("a step with another state", () => {
  test("is refused with both descriptions", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    await expect(deployments.run(summed(), [])).rejects.toMatchObject({
      code: "MILLRACE_STATE_MISMATCH",
      message: expect.stringContaining('step "total", state: kept stateful, now stateful v2.'),
    });
  });

  test("begins empty if its state may be dropped", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    expect(await deployments.run(summed(), [3], { dropState: ["total"] })).toEqual([{ sum: 3, events: 1 }]);
    expect(await deployments.run(summed(), [5], { dropState: ["total"] })).toEqual([{ sum: 8, events: 2 }]);
  });
});

describe("a step with another id", () => {
  test("continues with the state of its former one", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1, 2]);
    expect(await deployments.run(total("sum", { formerly: ["total"] }), [3])).toEqual([4]);
    expect(await deployments.groups()).toEqual({ "sum/keys": { odd: { state: 4 }, even: { state: 2 } } });
    expect(await deployments.run(total("amount", { formerly: ["sum", "total"] }), [5])).toEqual([9]);
  });

  test("may be the window of a fold", async () => {
    const deployments = new Deployments();
    await deployments.run(windowed("w", ["older"]), [1, 2]);
    const rows = new TestingSink<unknown>();
    const driver = await FlowDriver.start(deployments.flow(windowed("per_second", ["w"]), rows), {
      store: deployments.store,
    });
    deployments.source.push([3]);
    await driver.settle();
    await driver.advanceBy(1_000);
    await driver.stop();
    expect(rows.rows).toEqual([3]);
  });

  test("is refused at the start where two steps would continue with one state", () => {
    const flow = new Dataflow("several");
    const input = flow.input("in", new TestingSource<string>());
    const options = { within: "1h", formerly: "seen" } as const;
    for (const id of ["a", "b"])
      input.deduplicate(id, String, options).output(`${id}_out`, new TestingSink());
    expect(() => {
      flow.graph.validate();
    }).toThrow(/step "b": formerly "seen", as "a" was, too/);
  });
});

describe("steps without state", () => {
  const keyed: Build = (flow, source, rows) => {
    flow
      .input("numbers", source)
      .filter("all", () => true)
      .map((n) => n)
      .inspect(() => undefined)
      .keyBy("by", (n) => (n % 2 === 0 ? "even" : "odd"))
      .statefulMap(
        "total",
        () => 0,
        (sum, n) => [sum + n, sum + n],
      )
      .output("rows", rows);
  };

  test("do not matter: added, renamed, and with other ids of input and output", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    expect(await deployments.run(keyed, [3])).toEqual([4]);
    expect(await deployments.run(total(), [5])).toEqual([9]);
  });

  test("may give an input with a position in fields another id", async () => {
    const deployments = new Deployments();
    const positions = {
      divide: (position: unknown) => ({ head: null, fields: new Map([["at", Number(position)]]) }),
      unite: ({ fields }: { readonly fields: ReadonlyMap<string, unknown> }) => Number(fields.get("at")),
    };
    const { source } = deployments;
    const divided: Source<number> = {
      partitioning: source.partitioning,
      positions,
      listParts: () => source.listParts(),
      buildPart: (part, position, context) => source.buildPart(part, position ?? 0, context),
    };
    const reading =
      (id: string): Build =>
      (flow, _, rows) => {
        flow.input(id, divided).output("out", rows);
      };
    expect(await deployments.run(reading("in"), [1, 2])).toEqual([1, 2]);
    expect(await deployments.run(reading("numbers"), [3])).toEqual([3]);
    expect(Object.keys(await deployments.groups())).toEqual(["numbers/position"]);
  });
});

describe("the format of state", () => {
  test("is named by each commit, and a newer one is refused before the task is acquired", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    const owner = await deployments.store.acquire(TASK);
    const state = await owner.load();
    expect(state?.format).toBe(1);
    const { commitNumber = 0, signature = "" } = state ?? {};
    const newer: Commit = {
      number: commitNumber + 1,
      format: STATE_FORMAT + 1,
      signature,
      position: null,
      sinks: {},
      changes: [],
      outputs: [],
      partial: false,
      watermark: null,
      counts: null,
    };
    expect(await owner.commit(newer)).toMatchObject({ kind: "applied" });
    const refused = deployments.run(total(), []);
    await expect(refused).rejects.toBeInstanceOf(StateFormatError);
    await expect(refused).rejects.toThrow(
      `its state has format ${STATE_FORMAT + 1}, and this version of Millrace reads formats up to ${STATE_FORMAT}`,
    );
    expect(await owner.commit({ ...newer, number: commitNumber + 2 })).toMatchObject({ kind: "applied" });
  });

  test("is checked where a task is opened, too, before it is acquired", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    let looks = 0;
    let acquired = false;
    const store: Store = {
      look: async (...of) => {
        looks += 1;
        const head = await deployments.store.look(...of);
        return head && looks > 1 ? { ...head, format: STATE_FORMAT + 1 } : head;
      },
      acquire: (task) => {
        acquired = true;
        return deployments.store.acquire(task);
      },
      close: () => Promise.resolve(),
    };
    const driver = await FlowDriver.start(deployments.flow(total()), { store });
    await expect(driver.done).rejects.toMatchObject({ code: "MILLRACE_STATE_FORMAT" });
    expect(acquired).toBe(false);
  });
});

test("a comparison says what becomes of each step", async () => {
  const deployments = new Deployments();
  await deployments.run(withMore, [1]);
  const { signature = "" } = (await deployments.store.look(TASK)) ?? {};
  expect(compareState(signature, deployments.flow(withMore))).toEqual([
    { change: "kept", step: "seen", from: "seen" },
    { change: "kept", step: "total", from: "total" },
  ]);
  expect(
    compareState(signature, deployments.flow(summed({ migrate: () => ({ sum: 0, events: 0 }) })), ["seen"]),
  ).toEqual([
    { change: "migrated", step: "total", from: "total", kept: "stateful", now: "stateful v2" },
    { change: "dropped", step: "seen", kept: "deduplicate" },
  ]);
});

test("a preview of a start says whether the source can continue, and whether all keys have room", async () => {
  const deployments = new Deployments();
  const { store } = deployments;
  await deployments.run(
    total(),
    Array.from({ length: 20 }, (_, n) => n),
  );
  const flow = deployments.flow(total());
  expect(await previewStart(flow, "other", { store })).toEqual({
    commitNumber: 0,
    format: undefined,
    comparison: [],
    error: undefined,
  });
  const kept = { change: "kept", step: "total", from: "total" };
  expect(await previewStart(flow, TASK.part, { store })).toEqual({
    commitNumber: (await store.look(TASK))?.commitNumber,
    format: 1,
    comparison: [kept],
    error: undefined,
  });
  expect(await previewStart(flow, TASK.part, { store, maxKeys: 1 })).toMatchObject({
    comparison: [kept, { change: "refused", why: expect.stringContaining("2 keys"), droppable: false }],
    error: { code: "MILLRACE_STATE_TOO_LARGE" },
  });
  const { source } = deployments;
  const reading = (checks: Pick<Source<number>, "checkPosition" | "checkStart">): Dataflow =>
    deployments.flow((made, _, rows) => {
      const { partitioning } = source;
      const elsewhere: Source<number> = {
        partitioning,
        ...checks,
        listParts: () => source.listParts(),
        buildPart: () => Promise.reject(new Error("a preview opens nothing")),
      };
      total()(made, elsewhere, rows);
    });
  for (const name of ["checkPosition", "checkStart"] as const) {
    const other = reading({
      [name]: () => {
        throw new Error(`${name} refuses`);
      },
    });
    expect(await previewStart(other, TASK.part, { store })).toMatchObject({
      comparison: [kept, { change: "refused", step: "in", why: expect.stringContaining(`${name} refuses`) }],
      error: { message: expect.stringContaining(`${name} refuses`) },
    });
  }
});
