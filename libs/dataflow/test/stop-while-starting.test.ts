import { expect, test } from "@jest/globals";
import { Dataflow, MemoryStore, start } from "@millrace/dataflow";
import type { Source, Store } from "@millrace/dataflow";
import { TestingSink, TestingSource, VirtualTime } from "@millrace/dataflow/testing";
import { loggerOf } from "./support/logger-of.ts";

const never = new Promise<never>(() => undefined);

/** The steps of a start with a store, until it takes over a task. */
interface Places {
  listParts?: () => Promise<never>;
  /** Of the source: it hears the signal, as those in Redis do. */
  checkStart?: (signal: AbortSignal) => Promise<never>;
  /** Of the store, by how often it has looked. */
  look?: (looks: number) => Promise<undefined>;
  buildPart?: (signal: AbortSignal) => Promise<never>;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(new Error("given up"));
    });
  });
}

const hanging: Readonly<Record<string, Places>> = {
  "the partitions are listed": { listParts: () => never },
  "the source looks where its events come from": { checkStart: untilAborted },
  "the store looks at what is kept": { look: () => never },
  "the store looks again": { look: (looks) => (looks > 2 ? never : Promise.resolve(undefined)) },
  "the source is opened": { buildPart: untilAborted },
};

test.each(Object.keys(hanging))(
  "a run with a store that is stopped ends at once: while %s",
  async (where) => {
    const places = hanging[where] ?? {};
    const time = new VirtualTime();
    const inner = new TestingSource<string>({ parts: ["0", "1"], partitioning: { kind: "single" } });
    let [looks, built, acquired] = [0, 0, 0];
    const source: Source<string> = {
      partitioning: inner.partitioning,
      listParts: () => places.listParts?.() ?? inner.listParts(),
      checkStart: (_parts, { signal }) => places.checkStart?.(signal) ?? Promise.resolve(),
      buildPart(part, resume, context) {
        built += 1;
        return places.buildPart?.(context.signal) ?? inner.buildPart(part, resume, context);
      },
    };
    const kept = new MemoryStore();
    const store: Store = {
      look: (task, groups) => places.look?.((looks += 1)) ?? kept.look(task, groups),
      acquire(task) {
        acquired += 1;
        return kept.acquire(task);
      },
      close: () => kept.close(),
    };
    const { logger, logged } = loggerOf();
    const flow = new Dataflow("starting");
    flow
      .input("in", source)
      .deduplicate("once", String, { within: 1_000 })
      .output("out", new TestingSink<string>());
    const running = start(flow, { store, time, logger });
    for (let turn = 0; turn < 10; turn += 1) await time.yield();
    const before = { built, lines: logged("info").length };
    // No time passes: none of it waits for a deadline.
    const { tasks } = await running.stop();
    expect(tasks.every(({ phase }) => phase === "ended")).toBe(true);
    expect({ built, lines: logged("info").length }).toEqual(before);
    expect(acquired).toBe(0);
    expect(logged("warn")).toContainEqual(expect.objectContaining({ event: "stopped-while-opening" }));
  },
);
