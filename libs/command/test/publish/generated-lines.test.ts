import { describe, expect, test } from "@jest/globals";
import { generatedLines } from "../../src/publish/generated-lines.ts";

const LINES = ['{"click_id":"a","n":1}', '{"n":2,"click_id" : "b"}'];

describe.each(["text", "bytes"] as const)("generatedLines of %s", (as) => {
  const idField = "click_id";
  const made = (lines: readonly string[], count: number): readonly string[] =>
    Array.from(generatedLines(lines, { count, idField, as }), (line) => {
      expect(typeof line === "string").toBe(as === "text");
      return Buffer.from(line).toString();
    });

  test("are the lines in turn, with unique click ids", () => {
    const events = made(LINES, 500).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.slice(0, 5).map(({ n }) => n)).toEqual([1, 2, 1, 2, 1]);
    const ids = events.map(({ click_id }) => click_id);
    expect(ids.map((id) => Number.parseInt(String(id).slice(-12), 16))).toEqual([...events.keys()]);
    for (const id of ids) expect(id).toMatch(/^0{8}-0000-4000-8000-[0-9a-f]{12}$/);
  });

  test("are the same each time, and as many as requested", () => {
    expect(made(LINES, 3)).toEqual(made(LINES, 5).slice(0, 3));
    const endless = generatedLines(LINES, { count: Infinity, idField, as })[Symbol.iterator]();
    for (let n = 0; n < 10_000; n += 1) expect(endless.next().done).toBe(false);
  });

  test("differ from the lines in the id only", () => {
    expect(made(['{ "é": "é", "click_id": "x", "a": "\\u00e9 $1" }'], 1)).toEqual([
      '{ "é": "é", "click_id": "00000000-0000-4000-8000-000000000000", "a": "\\u00e9 $1" }',
    ]);
  });

  test("do not change when more are made, also if one is longer than many", () => {
    const long = `{"click_id":"c","n":"${"x".repeat(100_000)}"}`;
    const lines = Array.from({ length: 1_000 }, (_, n) => (n % 100 === 0 ? long : LINES[n % 2])).map(String);
    const expected = lines.map((line) => line.replace(/"click_id"\s*:\s*"[^"]*"/, ""));
    const got = made(lines, 1_000).map((line) => line.replace(/"click_id"\s*:\s*"[^"]*"/, ""));
    expect(got).toEqual(expected);
  });

  test.each([
    [[], "there is no line"],
    [['{"n":1}'], "without a click_id"],
  ])("refuse %j", (lines, message) => {
    expect(() => generatedLines(lines, { count: 1, idField, as })).toThrow(message);
  });
});
