import { describe, expect, test } from "@jest/globals";

import {
  WindowBatchError,
  WindowOptionsError,
  count,
  createWindowEngine,
  join,
  tumbling,
} from "../src/index.ts";
import { batch, event, eventClock, type TestEvent } from "./support/events.ts";

const windower = tumbling(10);
const clock = eventClock();
const matches = join({ sides: { left: (given: TestEvent) => given.value }, emit: "running" });

describe("options that are refused", () => {
  test.each([
    ["allowedLateness", { allowedLateness: -1 }],
    ["earlyEvery", { earlyEvery: 0 }],
    ["maxKeysPerWindow", { maxKeysPerWindow: 0 }],
    ["pageSize", { pageSize: Number.NaN }],
  ])("%s out of range", (name, options) => {
    const build = (): unknown => createWindowEngine({ windower, clock, fold: count(), ...options });
    expect(build).toThrow(WindowOptionsError);
    expect(build).toThrow(name);
  });

  test("allowedLateness with perKey", () => {
    expect(() =>
      createWindowEngine({ windower, clock, fold: count(), timeModel: "perKey", allowedLateness: 1 }),
    ).toThrow(/Use a longer wait/);
  });

  test("ordered matches in the time model stream, which orders at the close", () => {
    expect(() => createWindowEngine({ windower, clock, fold: matches, ordered: true })).toThrow(
      /matches cannot be emitted/,
    );
    expect(() =>
      createWindowEngine({ windower, clock, fold: matches, ordered: true, timeModel: "perKey" }),
    ).not.toThrow();
  });

  test("early results of a fold that emits its rows at once", () => {
    expect(() => createWindowEngine({ windower, clock, fold: matches, earlyEvery: 5 })).toThrow(
      /earlyEvery has no effect/,
    );
  });
});

describe("batches", () => {
  test.each(["stream", "perKey"] as const)(
    "columns of different length are refused as a whole (%s)",
    (timeModel) => {
      const engine = createWindowEngine({ windower, clock, fold: count(), timeModel });
      const { values } = batch(event(1), event(2));
      expect(() => engine.process({ keys: ["a"], values }, 0)).toThrow(WindowBatchError);
      expect(() => engine.process({ keys: ["a", "b"], values, times: [1] }, 0)).toThrow(
        "2 keys, 2 values and 1 times",
      );
      expect(engine.stats().counted).toBe(0);
    },
  );

  test("without rows the output is one shared, frozen object", () => {
    const engine = createWindowEngine({ windower, clock, fold: count() });
    const output = engine.process(batch(event(1)), 0);
    expect(output).toBe(engine.advance(5));
    expect(Object.isFrozen(output)).toBe(true);
  });
});
