import { describe, expect, test } from "@jest/globals";
import { compare } from "../src/conductor/compare.ts";
import type { ResultRow } from "../src/tally.ts";

const EXPECTED = new Map([["7 Zone/1", { events: 3, numbers: 12 }]]);

function row(revision: number, events: number, numbers: number, key = "Zone/1"): ResultRow {
  return { window: 7, key, revision, events, numbers, complete: null };
}

const FIRST = row(0, 2, 5);
const LAST = row(1, 3, 12);

describe("compare", () => {
  test("finds no difference if every revision is there once and the last one is right", () => {
    expect(compare(EXPECTED, { history: [FIRST, LAST], latest: [LAST], late: 0 })).toEqual([]);
  });

  test.each([
    ["a row that is there twice", { history: [FIRST, FIRST, LAST], latest: [LAST], late: 0 }, "is twice"],
    ["a revision that is missing", { history: [LAST], latest: [LAST], late: 0 }, "revision 0 is missing"],
    ["a row that is missing", { history: [], latest: [LAST], late: 0 }, "no row in the history"],
    ["a hash without its row", { history: [FIRST, LAST], latest: [], late: 0 }, "no row in the hash"],
    ["an older row in the hash", { history: [FIRST, LAST], latest: [FIRST], late: 0 }, "the hash has with 2"],
    ["another event of the same count", { history: [row(0, 3, 13)], latest: [LAST], late: 0 }, "sum 13"],
    ["a late event", { history: [FIRST, LAST], latest: [LAST], late: 2 }, "2 events were late"],
    [
      "a row without events",
      { history: [FIRST, LAST, row(0, 1, 1, "Zone/2")], latest: [LAST], late: 0 },
      "7 Zone/2: a row without events",
    ],
  ])("finds %s", (_, results, difference) => {
    expect(compare(EXPECTED, results)).toContainEqual(expect.stringContaining(difference));
  });
});
