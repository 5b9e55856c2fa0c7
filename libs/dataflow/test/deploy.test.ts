import { describe, expect, test } from "@jest/globals";
import {
  Dataflow,
  MemoryStore,
  STATE_FORMAT,
  StateFormatError,
  compareState,
  previewStart,
} from "@millrace/dataflow";
import type { Commit, Logger, Source, Store } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { count, migrated, sum, systemTime } from "@millrace/windowing";
import type { Fold } from "@millrace/windowing";
import { SECOND } from "./support/counting-flow.ts";

interface Sum {
  readonly sum: number;
  readonly events: number;
}

type Build = (flow: Dataflow, source: Source<number>, rows: TestingSink<unknown>) => void;

const TASK = { flow: "deployed", part: "testing" };

/** A store and an input that outlive the versions of a flow. */
class Deployments {
  readonly store = new MemoryStore();
  readonly source = new TestingSource<number>();
  readonly logged: string[] = [];
  readonly #logger: Logger = {
    debug: () => undefined,
    info: (_, message) => void this.logged.push(message),
    warn: () => undefined,
    error: () => undefined,
  };

  flow(build: Build, rows = new TestingSink<unknown>()): Dataflow {
    const flow = new Dataflow(TASK.flow);
    build(flow, this.source, rows);
    return flow;
  }

  /** Runs a version over further events, and stops it. @returns its rows */
  async run(
    build: Build,
    events: readonly number[],
    options: { readonly dropState?: readonly string[] } = {},
  ): Promise<readonly unknown[]> {
    this.logged.length = 0;
    const rows = new TestingSink<unknown>();
    const logger = this.#logger;
    const driver = await FlowDriver.start(this.flow(build, rows), { store: this.store, logger, ...options });
    if (events.length > 0) this.source.push(events);
    await driver.settle();
    await driver.stop();
    return rows.rows;
  }

  /** The stored groups, by name. */
  async groups(): Promise<Readonly<Record<string, unknown>>> {
    const state = await (await this.store.acquire(TASK)).load();
    return Object.fromEntries(
      [...(state?.groups ?? [])].map(([name, fields]) => [name, Object.fromEntries(fields)]),
    );
  }
}

const total =
  (id = "total", formerly: readonly string[] = []): Build =>
  (flow, source, rows) => {
    flow
      .input("in", source)
      .keyBy("key", (n) => (n % 2 === 0 ? "even" : "odd"))
      .statefulMap(
        id,
        () => 0,
        (sum, n) => [sum + n, sum + n],
        { formerly },
      )
      .output("out", rows);
  };

/** The next version of `total`, which also counts. */
const summed =
  (migrates: boolean, version = 2): Build =>
  (flow, source, rows) => {
    flow
      .input("in", source)
      .keyBy("key", (n) => (n % 2 === 0 ? "even" : "odd"))
      .statefulMap(
        "total",
        (): Sum => ({ sum: 0, events: 0 }),
        (state, n) => {
          const next = { sum: state.sum + n, events: state.events + 1 };
          return [next, next];
        },
        {
          version,
          ...(migrates && { migrate: (old: unknown) => ({ sum: Number(old), events: 0 }) }),
        },
      )
      .output("out", rows);
  };

function refusing(): never {
  throw new Error("no such field");
}

/** Whether a stored state is a counter. */
function isCounter(old: unknown): old is { n: number } {
  return typeof old === "object" && old !== null && "n" in old && typeof old.n === "number";
}

/** The next version of `total`, with another meaning of its numbers. */
const migrating =
  (migrate: (old: unknown) => number): Build =>
  (flow, source, rows) => {
    flow
      .input("in", source)
      .keyBy("key", (n) => (n % 2 === 0 ? "even" : "odd"))
      .statefulMap(
        "total",
        () => 0,
        (sum, n) => [sum + n, sum + n],
        { version: 2, migrate },
      )
      .output("out", rows);
  };

const windowed =
  (id: string, formerly: readonly string[] = [], fold: Fold<number, unknown, number> = count()): Build =>
  (flow, source, rows) => {
    flow
      .input("in", source)
      .keyBy("key", () => "all")
      .window(id, SECOND, systemTime(), { formerly })
      .fold("n", fold)
      .map(({ value }) => value)
      .output("out", rows);
  };

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
    await expect(deployments.run(summed(false), [])).rejects.toMatchObject({
      code: "MILLRACE_STATE_MISMATCH",
      message: expect.stringContaining('step "total", state: kept stateful, now stateful v2.'),
    });
  });

  test("begins empty if its state may be dropped", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    expect(await deployments.run(summed(false), [3], { dropState: ["total"] })).toEqual([
      { sum: 3, events: 1 },
    ]);
    expect(await deployments.run(summed(false), [5], { dropState: ["total"] })).toEqual([
      { sum: 8, events: 2 },
    ]);
  });

  test("migrates each key's state, once, also the keys that have no further event", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1, 2, 3]);
    expect(await deployments.run(summed(true), [5])).toEqual([{ sum: 9, events: 1 }]);
    expect(await deployments.groups()).toEqual({
      "total/keys": { odd: { state: { sum: 9, events: 1 } }, even: { state: { sum: 2, events: 0 } } },
    });
    // The version without migrate continues from there.
    expect(await deployments.run(summed(false), [4])).toEqual([{ sum: 6, events: 1 }]);
    // The version before does not, and changes nothing.
    await expect(deployments.run(total(), [])).rejects.toThrow(/kept stateful v2, now stateful/);
    expect(await deployments.run(summed(false), [2])).toEqual([{ sum: 8, events: 2 }]);
  });

  test("does not migrate state of a later version, which it does not know", async () => {
    const deployments = new Deployments();
    await deployments.run(total(), [1]);
    await deployments.run(summed(true), [3]);
    const back = (old: unknown): Sum => old as Sum;
    await deployments.run(
      (flow, source, rows) => {
        flow
          .input("in", source)
          .keyBy("key", () => "odd")
          .statefulMap(
            "total",
            (): Sum => ({ sum: 0, events: 0 }),
            (sum) => [sum, sum],
            {
              version: 3,
              migrate: back,
            },
          )
          .output("out", rows);
      },
      [5],
    );
    await expect(deployments.run(summed(true), [])).rejects.toThrow(/kept stateful v3, now stateful v2/);
  });

  test("whose migrate throws leaves the running worker and the state alone", async () => {
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

  test("stays as it is stored where a migrate changes what it gets", async () => {
    const versioned =
      (version: number, fails = false): Build =>
      (flow, source, rows) => {
        const migrate = (old: unknown): { n: number } => {
          if (!isCounter(old)) return refusing();
          old.n += 100;
          return fails ? refusing() : old;
        };
        flow
          .input("in", source)
          .keyBy("key", () => "all")
          .statefulMap(
            "total",
            () => ({ n: 0 }),
            (state, n) => [{ n: state.n + n }, state.n + n],
            { version, migrate },
          )
          .output("out", rows);
      };
    const deployments = new Deployments();
    await deployments.run(versioned(1), [1]);
    await expect(deployments.run(versioned(2, true), [])).rejects.toThrow("no such field");
    expect(await deployments.run(versioned(2), [1])).toEqual([102]);
  });

  test("of windows whose migrate throws leaves the running worker alone, too", async () => {
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

  test("is read before the task is acquired only if it migrates, and again if its owner commits in between", async () => {
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

describe("a step with another id", () => {
  test("continues with the state of its former one", async () => {
    const deployments = new Deployments();
    await deployments.run(total("total"), [1, 2]);
    expect(await deployments.run(total("sum", ["total"]), [3])).toEqual([4]);
    expect(await deployments.groups()).toEqual({ "sum/keys": { odd: { state: 4 }, even: { state: 2 } } });
    expect(await deployments.run(total("amount", ["sum", "total"]), [5])).toEqual([9]);
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
  expect(compareState(signature, deployments.flow(summed(true)), ["seen"])).toEqual([
    { change: "migrated", step: "total", from: "total", kept: "stateful", now: "stateful v2" },
    { change: "dropped", step: "seen", kept: "deduplicate" },
  ]);
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
