import { describe, expect, test } from "@jest/globals";

import { CASES } from "../src/engine/cases.ts";
import { makeBatches } from "../src/engine/events.ts";

describe("the cases of the engine's benchmark", () => {
  test.each(CASES.map((bench) => [bench.title, bench] as const))("%s: both come to the same", (_, bench) => {
    const batches = makeBatches({ ...bench.events, events: 20_000 });
    const bare = bench.bare(batches);
    expect(bare.rows).toBeGreaterThan(0);
    expect(bench.engine(batches)).toEqual(bare);
  });

  test("events are the same ones each time", () => {
    const spec = { events: 2_500, keys: 7, stepMs: 3, disorderMs: 10 };
    expect(makeBatches(spec)).toEqual(makeBatches(spec));
    expect(makeBatches(spec).map(({ keys }) => keys.length)).toEqual([1_000, 1_000, 500]);
  });
});
