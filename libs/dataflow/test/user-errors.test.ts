import { describe, expect, jest, test } from "@jest/globals";
import { Dataflow, IterableSource, StepError, isDataflow, run } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";

interface Click {
  readonly system: string;
}

async function failureOf(
  events: readonly Click[],
  build: (flow: Dataflow, events: readonly Click[]) => void,
): Promise<string> {
  const flow = new Dataflow("failing");
  build(flow, events);
  return run(flow).then(
    () => "no failure",
    (error: unknown) => (error instanceof StepError ? error.message : `not a step's: ${String(error)}`),
  );
}

/** Events at run time, which may not match their type. */
function eventsOf(json: string): readonly Click[] {
  return JSON.parse(json) as readonly Click[];
}

describe("a step's error", () => {
  test.each([
    ['[{"os":"Linux"}]', 'the event has no field "system"'],
    ['[{"system":true}]', 'the field "system" is a boolean, and keys are strings or finite numbers'],
    ['[{"system":null}]', 'the field "system" is null, and keys are strings or finite numbers'],
    ['[{"system":{}}]', 'the field "system" is an object, and keys are strings or finite numbers'],
  ])("names the field that is not a key in %s", async (json, message) => {
    const text = await failureOf(eventsOf(json), (flow, events) => {
      flow
        .input("in", new IterableSource(events))
        .keyBy("k", "system")
        .dropKey()
        .output("out", new TestingSink());
    });
    expect(text).toContain(`step "k", partition "iterable": ${message} (event: `);
    expect(text).not.toContain("thrown at");
  });

  test("shows an invalid key that a function returns", async () => {
    const text = await failureOf(eventsOf('[{"os":"Linux"}]'), (flow, events) => {
      flow
        .input("in", new IterableSource(events))
        .keyBy("k", ({ system }) => system)
        .dropKey()
        .output("out", new TestingSink());
    });
    expect(text).toContain("the key is undefined, and keys are strings");
  });

  test("has the place where the user's function threw, also when Node's functions called it", async () => {
    const text = await failureOf([{ system: "{" }], (flow, events) => {
      flow
        .input("in", new IterableSource(events))
        .map("parse", ({ system }): unknown => JSON.parse(system))
        .output("out", new TestingSink());
    });
    expect(text).toMatch(/step "parse".*; thrown at .*user-errors\.test\.ts:\d+:\d+$/);
  });
});

test("an error of a flow from a second copy of the library is wrapped once", async () => {
  jest.resetModules();
  const copy = await import("../src/dataflow.ts");
  const flow = new copy.Dataflow("foreign");
  flow
    .input("in", new IterableSource([1]))
    .map("parse", (): never => {
      throw new Error("boom");
    })
    .output("out", new TestingSink());
  await expect(run(flow)).rejects.toMatchObject({
    code: "MILLRACE_STEP_FAILED",
    message: expect.stringMatching(
      /^step "parse", partition "iterable": boom \(event: 1\); thrown at (?!.*step)/,
    ),
  });
});

test("a flow from a second copy of the library is a flow", async () => {
  jest.resetModules();
  const copy = await import("../src/dataflow.ts");
  const flow = new copy.Dataflow("foreign");
  expect(flow).not.toBeInstanceOf(Dataflow);
  expect(isDataflow(flow)).toBe(true);
  expect([undefined, null, 7, {}, Dataflow].map(isDataflow)).toEqual([false, false, false, false, false]);
});
