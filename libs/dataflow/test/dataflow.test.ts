import { describe, expect, test } from "@jest/globals";
import { Dataflow, FlowError, IterableSource, start } from "@millrace/dataflow";
import { systemTime, tumbling } from "@millrace/windowing";
import { TestingSink, TestingSource } from "@millrace/dataflow/testing";

interface Click {
  readonly os_timezone: string;
  readonly clicks: number;
}

const sink = <T>(): TestingSink<T> => new TestingSink<T>();

describe("building a flow", () => {
  test("refuses a step id that another step has, and names that step's operator", () => {
    const stream = new Dataflow("f").input("in", new IterableSource([1]));
    stream.map("double", (n) => 2 * n);
    expect(() => stream.filter("double", (n) => n > 1)).toThrow(/step "double".*belongs to a map/);
  });

  test.each(["", "1st", "a b", "a/b", "x".repeat(101), "ü"])("refuses the malformed id %j", (id) => {
    const stream = new Dataflow("f").input("in", new IterableSource([1]));
    expect(() => stream.map(id, (n) => n)).toThrow(FlowError);
    expect(() => new Dataflow(id)).toThrow(FlowError);
  });

  test("refuses a flow without input or without output when it is run", () => {
    expect(() => start(new Dataflow("f"))).toThrow(/no input/);
    const flow = new Dataflow("f");
    flow.input("in", new IterableSource([1])).map("m", (n) => n);
    expect(() => start(flow)).toThrow(/no output/);
  });

  test("refuses a step without a consumer, except one that only inspects", () => {
    const flow = new Dataflow("f");
    const stream = flow.input("in", new IterableSource([1]));
    stream.output("out", sink());
    stream.inspect("look", () => undefined);
    stream.map("lost", (n) => n);
    expect(() => start(flow)).toThrow(/step "lost" \(map\) has no consumer/);
  });

  test("refuses a second input", () => {
    const flow = new Dataflow("f");
    flow.input("in", new IterableSource([1]));
    expect(() => flow.input("more", new IterableSource([2]))).toThrow(/already reads "in"/);
  });

  test("refuses to merge streams of different flows", () => {
    const one = new Dataflow("one").input("in", new IterableSource([1]));
    const two = new Dataflow("two").input("in", new IterableSource([1]));
    expect(() => one.merge("m", two)).toThrow(/another flow \("two"\)/);
  });

  test("refuses contradictory windows when they are defined", () => {
    const keyed = new Dataflow("f").input("in", new IterableSource(["a"])).keyBy("k", (s) => s);
    const windows = keyed.window("w", tumbling(5), systemTime(), {
      timeModel: "perKey",
      allowedLateness: 1,
    });
    expect(() => windows.count("n")).toThrow(/allowedLateness/);
  });
});

describe("keyBy on a source with several partitions", () => {
  const source = new TestingSource<Click>({
    parts: ["0", "1"],
    partitioning: { kind: "by", field: "os_timezone" },
  });
  const clicks = () => new Dataflow("f").input("in", source);

  test("accepts the field that the source is partitioned by", () => {
    expect(() => clicks().keyBy("k", "os_timezone")).not.toThrow();
    expect(() => clicks().keyBy("k", (click) => click.os_timezone, { field: "os_timezone" })).not.toThrow();
  });

  test("refuses anything else, unless partial rows are accepted", () => {
    expect(() => clicks().keyBy("k", (click) => click.os_timezone)).toThrow(/divided by os_timezone/);
    expect(() => clicks().keyBy("k", (click) => String(click.clicks), { field: "clicks" })).toThrow(
      FlowError,
    );
    expect(() => clicks().keyBy("k", (click) => String(click.clicks), { perPartition: true })).not.toThrow();
  });

  test("refuses every key if no field divides the partitions", () => {
    const arbitrary = new TestingSource<Click>({ parts: ["0", "1"] });
    expect(() => new Dataflow("f").input("in", arbitrary).keyBy("k", "os_timezone")).toThrow(
      /divided by no field/,
    );
  });
});
