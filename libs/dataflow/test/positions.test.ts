import { describe, expect, test } from "@jest/globals";
import { IterableSource, MemoryStore, StateError } from "@millrace/dataflow";
import type { Json, Source } from "@millrace/dataflow";
import { FlowDriver, TestingSource } from "@millrace/dataflow/testing";
import { counts } from "./support/counting-flow.ts";

describe("a task that continues from a position in two parts", () => {
  test("opens its source once", async () => {
    const store = new MemoryStore();
    const inner = new TestingSource<string>();
    const opened: (Json | undefined)[] = [];
    const source: Source<string> = {
      partitioning: inner.partitioning,
      positions: {
        divide: (position) => ({
          head: null,
          fields: new Map([
            ["at", position],
            ["by", "who"],
          ]),
        }),
        unite: ({ fields }) => [...fields.keys(), fields.get("at") ?? null],
      },
      listParts: () => inner.listParts(),
      buildPart(part, resume, context) {
        opened.push(resume);
        return inner.buildPart(part, resume === undefined ? undefined : 1, context);
      },
    };
    const first = await FlowDriver.start(counts(source), { store, commitEveryEvents: 1 });
    inner.push(["a"]);
    await first.settle();
    await first.stop();
    const second = await FlowDriver.start(counts(source), { store });
    await second.stop();
    expect(opened).toEqual([undefined, ["at", "by", 1]]);
  });
});

describe("a position", () => {
  test.each([
    ["an iterable", new IterableSource<string>([])],
    ["a file", undefined],
  ])("of another source is refused by %s without opening it", async (_, given) => {
    const { JsonlFileSource } = await import("@millrace/dataflow");
    const source = given ?? new JsonlFileSource("/nowhere/at/all.jsonl");
    // Null is the position of what is read as a stream, such as a pipe.
    for (const position of [{ id: "1-1" }, "3", -1, 1.5, ...(given === undefined ? [] : [null])]) {
      expect(() => {
        source.checkPosition("part", position);
      }).toThrow(StateError);
    }
    expect(() => {
      source.checkPosition("part", 7);
    }).not.toThrow();
  });
});
