import { describe, expect, test } from "@jest/globals";
import {
  Dataflow,
  IterableSource,
  MemoryStore,
  describe as describeFlow,
  reconcile,
  run,
} from "@millrace/dataflow";
import type { Stream } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { systemTime, tumbling } from "@millrace/windowing";
import { collectRows } from "./collect-rows.ts";

test("steps may have the names of an object's built-in properties", async () => {
  const store = new MemoryStore();
  const sinks = [new TestingSink<number>(), new TestingSink<number>()] as const;
  const flow = new Dataflow("names");
  const numbers = flow.input("valueOf", new IterableSource([1, 2])).map("toString", (n) => n * 2);
  numbers.output("constructor", sinks[0]);
  numbers.output("hasOwnProperty", sinks[1]);
  await run(flow, { store });
  const stats = await run(flow, { store });
  expect(reconcile(stats).rowsOut).toEqual({ constructor: 0, hasOwnProperty: 0 });
  expect(sinks.map(({ rows }) => rows)).toEqual([
    [2, 4],
    [2, 4],
  ]);
});

describe("default step names", () => {
  const zones = (): Stream<string> => new Dataflow("f").input("in", new IterableSource(["a"]));
  const steps = (flow: Dataflow): readonly string[] => describeFlow(flow).steps.map(({ id }) => id);

  test("are the operators' names, numbered in the order in which steps are added", () => {
    const flow = new Dataflow("f");
    const source = flow.input("in", new IterableSource(["a"]));
    const { yes, no } = source.map((text) => text + text).branch((text) => text === "aa");
    yes
      .map((text) => text)
      .merge(no.inspect(() => undefined))
      .flatMap((text) => [text])
      .filterMap((text) => text)
      .filter(() => true)
      .mapAsync((text) => Promise.resolve(text))
      .keyBy((text) => text)
      .window("w", tumbling("5s"), systemTime())
      .count()
      .map(({ value }) => value)
      .output("out", new TestingSink());
    expect(steps(flow)).toEqual(
      "in map branch map_2 inspect merge flatMap filterMap filter mapAsync keyBy w map_3 out".split(" "),
    );
  });

  test("name the step in errors", async () => {
    const chain = collectRows([1], (numbers) =>
      numbers
        .map((n) => n)
        .map(() => {
          throw new Error("no");
        }),
    );
    await expect(chain).rejects.toThrow(/step "map_2"/);
  });

  test("avoid names that are in use, and are named in the error for a name that they have", () => {
    const named = zones().map("filter", (text) => text);
    expect(() => named.filter(() => true).filter("filter_2", () => true)).toThrow(
      /step "filter_2": the id belongs to a filter without an id of its own/,
    );
  });

  test("keyBy takes one string as a field, and the first of two as the step's name", () => {
    const flow = new Dataflow("f");
    const source = flow.input("in", new IterableSource([{ zone: "a", shop: "b" }]));
    source.keyBy("zone");
    source.keyBy("zone", { perPartition: true });
    source.keyBy("by_shop", "shop");
    source.keyBy(({ shop }) => shop, { field: "shop" });
    expect(flow.graph.nodes.map(({ id, detail }) => [id, detail])).toEqual([
      ["in", undefined],
      ["keyBy", "zone"],
      ["keyBy_2", "zone"],
      ["by_shop", "shop"],
      ["keyBy_3", "shop"],
    ]);
  });

  test("a second fold of the same windows needs a name", () => {
    const windows = zones()
      .keyBy((text) => text)
      .window("w", tumbling("5s"), systemTime());
    windows.count();
    expect(() => windows.count()).toThrow(/step "w": the id belongs to a window/);
    windows.count("events");
  });
});
