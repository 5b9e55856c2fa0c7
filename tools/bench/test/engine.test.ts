import { expect, test } from "@jest/globals";
import { CASES } from "../src/engine/cases.ts";
import { makeBatches } from "../src/engine/events.ts";

test.each(CASES)("engine case %s, %s: both come to the same", (_name, _title, spec, { bare, engine }) => {
  const batches = makeBatches({ ...spec, events: 10_000 });
  const tally = bare(batches);
  expect(tally.rows).toBeGreaterThan(0);
  expect(engine(batches)).toEqual(tally);
});
