import { describe, expect, test } from "@jest/globals";
import { Dataflow, FlowError } from "@millrace/dataflow";
import type { Operator, Stream } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, systemTime, tumbling } from "@millrace/windowing";

interface Visit {
  readonly zone: string;
  readonly user: string;
}

const ZONES = { parts: ["0", "1"], partitioning: { kind: "by", field: "zone" } } as const;
const source = new TestingSource<Visit>(ZONES);

function visits(): Stream<Visit> {
  return new Dataflow("visits").input("in", source);
}

/** An operator of a user's own, of which it is not known what it does. */
function moved(): Operator<Visit, Visit> {
  return {
    process(batch, _now, out) {
      out.emit({ ...batch, events: batch.events.map((visit) => ({ ...visit, zone: "Europe" })) });
    },
  };
}

const same = (visit: Visit): Visit => visit;
const WINDOWER = tumbling(1_000);

describe("the field that divides a stream between the partitions", () => {
  test.each<[string, (stream: Stream<Visit>) => Stream<Visit>]>([
    ["decode", (s) => s.decode("s", { decode: (event: Visit) => ({ kind: "event", event }) })],
    ["filter", (s) => s.filter("s", ({ user }) => user !== "")],
    ["inspect", (s) => s.inspect("s", () => undefined)],
    ["branch, its yes", (s) => s.branch("s", ({ user }) => user !== "").yes],
    ["branch, its no", (s) => s.branch("s", ({ user }) => user !== "").no],
    ["deduplicate", (s) => s.deduplicate("s", ({ user }) => user, { within: 1_000, maxIds: 10 })],
    [
      "a merge of streams that agree",
      (s) =>
        s.merge(
          "s",
          s.filter("other", () => true),
        ),
    ],
    [
      "dropKey after steps that keep values",
      (s) =>
        s
          .keyBy("k", "zone")
          .filter("s", () => true)
          .dropKey(),
    ],
  ])("is kept by %s", (_, step) => {
    expect(step(visits()).keyBy("again", "zone")).toBeDefined();
  });

  const MAKING: readonly [string, (stream: Stream<Visit>, keeps?: { keeps: "zone" }) => Stream<Visit>][] = [
    ["map", (s, keeps) => s.map("s", same, keeps)],
    ["filterMap", (s, keeps) => s.filterMap("s", same, keeps)],
    ["flatMap", (s, keeps) => s.flatMap("s", (visit) => [visit], keeps)],
    ["mapAsync", (s, keeps) => s.mapAsync("s", (visit) => Promise.resolve(visit), keeps)],
    ["custom", (s, keeps) => s.custom("s", moved, keeps)],
    ["mapValues", (s, keeps) => s.keyBy("k", "zone").map("s", same, keeps).dropKey()],
    [
      "flatMapValues",
      (s, keeps) =>
        s
          .keyBy("k", "zone")
          .flatMap("s", (v) => [v], keeps)
          .dropKey(),
    ],
    [
      "a keyed mapAsync",
      (s, keeps) =>
        s
          .keyBy("k", "zone")
          .mapAsync("s", (v) => Promise.resolve(v), keeps)
          .dropKey(),
    ],
    ["a keyed custom", (s, keeps) => s.keyBy("k", "zone").custom("s", moved, keeps).dropKey()],
    [
      "statefulMap",
      (s, keeps) =>
        s
          .keyBy("k", "zone")
          .statefulMap(
            "s",
            () => 1,
            (n, v) => [n, v],
            keeps,
          )
          .dropKey(),
    ],
    [
      "statefulFlatMap",
      (s, keeps) =>
        s
          .keyBy("k", "zone")
          .statefulFlatMap("s", { create: () => 1, onEvent: (state, v) => ({ state, out: [v] }) }, keeps)
          .dropKey(),
    ],
    ["a merge with one of them", (s, keeps) => s.merge("both", s.map("s", same, keeps))],
  ];
  test.each(MAKING)("is dropped by %s, unless it says what it keeps", (_, step) => {
    expect(() => step(visits()).keyBy("again", "zone")).toThrow(/divided by no field.*keeps/);
    expect(() => step(visits()).keyBy("again", ({ zone }) => zone, { field: "zone" })).toThrow(FlowError);
    expect(step(visits(), { keeps: "zone" }).keyBy("again", "zone")).toBeDefined();
    expect(step(visits()).keyBy("again", "zone", { perPartition: true })).toBeDefined();
  });

  test("a field of new events can be named, and is then the one to key by", () => {
    const renamed = visits().map("rename", ({ zone, user }) => ({ tz: zone, user }), { keeps: "tz" });
    expect(renamed.keyBy("tz", "tz")).toBeDefined();
    expect(() => renamed.keyBy("user", "user")).toThrow(/divided by tz/);
  });

  test("cannot be kept if no field divides the source's partitions", () => {
    const arbitrary = new TestingSource<Visit>({ parts: ["0", "1"] });
    const stream = new Dataflow("f").input("in", arbitrary);
    expect(() => stream.map("m", same, { keeps: "zone" })).toThrow(/step "m".*no field is known/);
  });

  test("does not matter if the source has one partition", () => {
    const single = new Dataflow("f").input("in", new TestingSource<Visit>());
    expect(single.map("m", same).keyBy("k", ({ user }) => user)).toBeDefined();
    expect(single.map("n", same, { keeps: "zone" }).custom("c", moved).keyBy("z", "zone")).toBeDefined();
  });
});

describe("results of windows", () => {
  const clock = systemTime();

  test("are keyed again by their key if it divides the partitions", () => {
    const counts = visits().keyBy("zone", "zone").window("w", WINDOWER, clock).count("n");
    expect(counts.keyBy("again", "key")).toBeDefined();
    expect(counts.keyBy("claimed", ({ key }) => key, { field: "zone" })).toBeDefined();
    expect(counts.late.keyBy("late", "key")).toBeDefined();
    expect(() => counts.keyBy("part", "part")).toThrow(/divided by key, zone/);
  });

  test("are not if the key is partial in each partition", () => {
    const perUser = visits().keyBy("user", "user", { perPartition: true });
    expect(() => perUser.window("w", WINDOWER, clock).count("n").keyBy("again", "key")).toThrow(FlowError);
    const unknown = visits().keyBy("zone", "zone").custom("c", moved);
    expect(() => unknown.window("v", WINDOWER, clock).count("n").keyBy("more", "key")).toThrow(FlowError);
  });
});

test("each key has one row after a map that keeps the field", async () => {
  const out = new TestingSink<string>();
  const input = new TestingSource<Visit>(ZONES);
  const flow = new Dataflow("visits");
  flow
    .input("in", input)
    .map("upper", ({ zone, user }) => ({ zone, user: user.toUpperCase() }), { keeps: "zone" })
    .keyBy("zone", "zone")
    .window(
      "w",
      WINDOWER,
      eventTime(() => 0, { wait: 0 }),
    )
    .count("n")
    .map("row", ({ key, value }) => `${key} ${value}`)
    .output("out", out);
  const driver = await FlowDriver.start(flow);
  input.push([{ zone: "Madrid", user: "a" }], { part: "0" });
  input.push([{ zone: "Paris", user: "b" }], { part: "1" });
  await driver.settle();
  await driver.stop();
  expect([...out.rows].sort()).toEqual(["Madrid 1", "Paris 1"]);
});
