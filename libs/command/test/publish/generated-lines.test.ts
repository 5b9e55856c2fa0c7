import { describe, expect, test } from "@jest/globals";
import { generatedLines } from "../../src/publish/generated-lines.ts";

const LINES = ['{"click_id":"a","n":1}', '{"n":2,"click_id" : "b"}'];

describe("generatedLines", () => {
  test("are the lines in turn, with unique click ids", () => {
    const made = [...generatedLines(LINES, 5, "click_id")].map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    expect(made.map(({ n }) => n)).toEqual([1, 2, 1, 2, 1]);
    const ids = made.map(({ click_id }) => click_id);
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test("are the same each time, and as many as requested", () => {
    expect([...generatedLines(LINES, 3, "click_id")]).toEqual(
      [...generatedLines(LINES, 5, "click_id")].slice(0, 3),
    );
    const endless = generatedLines(LINES, Infinity, "click_id")[Symbol.iterator]();
    for (let n = 0; n < 10_000; n += 1) expect(endless.next().done).toBe(false);
  });

  test("differ from the lines in the id only", () => {
    expect([...generatedLines(['{ "click_id": "x", "a": "\\u00e9 $1" }'], 1, "click_id")]).toEqual([
      '{ "click_id": "00000000-0000-4000-8000-000000000000", "a": "\\u00e9 $1" }',
    ]);
  });

  test.each([
    [[], "there is no line"],
    [['{"n":1}'], "without a click_id"],
  ])("refuse %j", (lines, message) => {
    expect(() => generatedLines(lines, 1, "click_id")).toThrow(message);
  });
});
