import { createHook } from "node:async_hooks";
import { describe, expect, test } from "@jest/globals";
import { Dataflow, IterableSource, MemoryStore, run, start } from "@millrace/dataflow";
import type { Batch, Operator, RunOptions, Source, Store } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource, VirtualTime } from "@millrace/dataflow/testing";
import { eventTime, tumbling } from "@millrace/windowing";
import { collectRows } from "./collect-rows.ts";
import { withParts } from "./support/with-parts.ts";

/* What must not grow: these are counts and no times, so that they are the same on every machine. */

interface Event {
  readonly at: number;
  readonly key: string;
}

/** A flow like those of the aggregator, over this number of batches, each of which closes a window. */
function flowOf(batches: number, batchSize: number): Dataflow {
  const events = Array.from({ length: batches * batchSize }, (_, i) => ({
    at: Math.floor(i / batchSize) * 1_000,
    key: `key ${i % 7}`,
  }));
  const flow = new Dataflow("costs");
  flow
    .input("in", new IterableSource<Event>(events, { batchSize }))
    .decode("decode", { decode: (event: Event) => ({ kind: "event", event }) })
    .filter("all", ({ at }) => at >= 0)
    .keyBy("key", "key")
    .window(
      "windows",
      tumbling(1_000),
      eventTime(({ at }: Event) => at, { wait: 0 }),
    )
    .count("count")
    .map("row", ({ key, value }) => ({ key, value }))
    .output("out", new TestingSink());
  return flow;
}

/** Promises made while a flow runs over so many batches. */
async function promisesOf(batches: number, batchSize: number, options: RunOptions = {}): Promise<number> {
  const flow = flowOf(batches, batchSize);
  let promises = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === "PROMISE") promises += 1;
    },
  });
  hook.enable();
  try {
    await run(flow, { ...options, time: new VirtualTime() });
  } finally {
    hook.disable();
  }
  return promises;
}

/** Promises made for each batch, without those of the start and the end of a run. */
async function promisesPerBatch(batchSize: number, options?: () => RunOptions): Promise<number> {
  const [few, many] = [10, 110];
  const more = await promisesOf(many, batchSize, options?.());
  // A run makes a few promises that do not depend on batches.
  return Math.round((more - (await promisesOf(few, batchSize, options?.()))) / (many - few));
}

/** A store with the least that a store must do. */
function countingStore(commits: { count: number }): Store {
  const inner = new MemoryStore();
  return {
    look: (...of) => inner.look(...of),
    async acquire(task) {
      const owned = await inner.acquire(task);
      return {
        fence: owned.fence,
        load: () => owned.load(),
        commit(commit) {
          commits.count += 1;
          return owned.commit(commit);
        },
        close: () => owned.close(),
      };
    },
    close: () => inner.close(),
  };
}

describe("what a batch costs", () => {
  test("a bounded number of promises for any number of events", async () => {
    const small = await promisesPerBatch(7);
    expect(await promisesPerBatch(700)).toBe(small);
    expect(small).toBeLessThanOrEqual(30);
  });

  test("a bounded number of promises with a store too", async () => {
    const options = (): RunOptions => ({ store: new MemoryStore(), commitEveryEvents: 1e9 });
    const small = await promisesPerBatch(7, options);
    expect(await promisesPerBatch(700, options)).toBe(small);
    expect(small).toBeLessThanOrEqual(45);
  });

  test("one commit if it closes a window, and none if it does not", async () => {
    const commits = { count: 0 };
    const store = countingStore(commits);
    await run(flowOf(50, 20), { store, commitEveryEvents: 1e9, time: new VirtualTime() });
    // One before the first row, one for each window, and one at the end.
    expect(commits.count).toBe(52);
  });

  test("no copy of a column if no row is dropped", async () => {
    const seen: Batch<Event>[] = [];
    const look = (): Operator<Event, Event> => ({
      process(batch, _now, out) {
        seen.push(batch);
        out.emit(batch);
      },
    });
    await collectRows([{ at: 0, key: "a" }], (events) =>
      events
        .keyBy("key", "key")
        .custom("before", look)
        .filter("all", () => true)
        .map("same", (event) => event)
        .custom("after", look)
        .dropKey(),
    );
    const [before, after] = seen;
    expect(before?.keys).toEqual(["a"]);
    expect(after?.keys).toBe(before?.keys);
  });
});

describe("proofs that a partition is drained", () => {
  test("are not requested while events come, even if the run ends when it is idle", async () => {
    const source = new TestingSource<number>();
    let probes = 0;
    const watched = withParts(source, (opened) => ({
      async drained() {
        probes += 1;
        return opened.drained?.();
      },
    }));
    const flow = new Dataflow("watched");
    flow.input("in", watched).output("out", new TestingSink());
    const driver = await FlowDriver.start(flow, { exitWhenIdleMs: 1_000 });
    source.push([0]);
    await driver.settle();
    const before = probes;
    for (let event = 1; event <= 200; event += 1) {
      await driver.advanceTo(event * 20);
      source.push([event]);
      await driver.settle();
    }
    expect(probes).toBe(before);
    await driver.advanceTo(6_000);
    await driver.done;
    expect(probes).toBeGreaterThan(before);
    expect(probes - before).toBeLessThan(10);
  });
});

describe("turns of the event loop", () => {
  /** Time that moves by what each event takes, and counts how often others were given a turn. */
  class BusyTime extends VirtualTime {
    turns = 0;

    override yield(): Promise<void> {
      this.turns += 1;
      return super.yield();
    }
  }

  /** A flow in which an event takes 4 ms; a turn may take 10. */
  function slowFlow(source: Source<number>, time: VirtualTime): Dataflow {
    const flow = new Dataflow("slow");
    flow
      .input("in", source)
      .map("take_4_ms", (event) => {
        time.set(time.now() + 4);
        return event;
      })
      .output("out", new TestingSink());
    return flow;
  }

  const events = Array.from({ length: 30 }, (_, i) => i);

  test("are yielded by a task that always has work", async () => {
    const time = new BusyTime();
    await run(slowFlow(new IterableSource(events, { batchSize: 1 }), time), { time });
    expect(time.turns).toBe(10);
  });

  test("are yielded if a source awaits promises only", async () => {
    const time = new BusyTime();
    async function* inMemory(): AsyncGenerator<number> {
      for (const event of events) yield await Promise.resolve(event);
    }
    await run(slowFlow(new IterableSource(inMemory(), { batchSize: 1 }), time), { time });
    expect(time.turns).toBe(10);
  });

  test("depend on how long batches take, not on the wait for a batch", async () => {
    const time = new BusyTime();
    const source = new TestingSource<number>();
    const running = start(slowFlow(source, time), { time });
    for (const event of events) {
      time.set(time.now() + 1_000);
      source.push([event]);
      while (running.stats().tasks[0]?.source.read !== event + 1) await new Promise(setImmediate);
    }
    expect(time.turns).toBe(10);
    await running.stop();
  });
});
