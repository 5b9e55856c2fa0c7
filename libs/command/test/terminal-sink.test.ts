import { expect, test } from "@jest/globals";
import type { Completeness, WindowCause, WindowResult } from "@millrace/windowing";
import { rowOf } from "../src/flows/row-of.ts";
import { formatWindows } from "../src/running/terminal-sink.ts";

const lines = (results: readonly WindowResult<unknown>[]): readonly string[] =>
  formatWindows(results, rowOf(true));

const OPEN = new Date(2026, 0, 5, 12, 30, 0).getTime();

function row(
  zone: string,
  users: number,
  close: number = OPEN + 5_000,
  { cause = "watermark", complete = "unknown" }: { cause?: WindowCause; complete?: Completeness } = {},
): WindowResult<unknown> {
  const window = { id: 1, open: close - 5_000, close, mergedIds: [] };
  return { key: zone, value: { timezone: zone, users }, window, revision: 0, cause, complete };
}

test("prints a line with time and summary for each window, then its rows, the highest first", () => {
  const rows = [row("Asia/Tokyo", 7), row("Europe/Madrid", 1_045), row("Asia/Kolkata", 3, OPEN + 10_000)];
  expect(lines(rows)).toEqual([
    "12:30:00 – 12:30:05: 2 rows",
    "  Europe/Madrid  1,045",
    "  Asia/Tokyo         7",
    "",
    "12:30:05 – 12:30:10: 1 row",
    "  Asia/Kolkata  3",
    "",
  ]);
});

test("marks early rows and revisions", () => {
  expect(lines([row("a", 1, OPEN + 5_000, { cause: "early" }), row("a", 2)])).toEqual([
    "12:30:00 – 12:30:05 (so far): 1 row",
    "  a  1",
    "",
    "12:30:00 – 12:30:05: 1 row",
    "  a  2",
    "",
  ]);
});

test("the summary says whether events are missing", () => {
  const summary = (complete: Completeness): string | undefined =>
    lines([row("a", 1, OPEN + 5_000, { complete })])[0];
  expect(summary(true)).toBe("12:30:00 – 12:30:05: 1 row, complete");
  expect(summary({ atLeast: 2, atMost: 2 })).toBe("12:30:00 – 12:30:05: 1 row, 2 events missing");
  expect(summary({ atLeast: 2, atMost: 9 })).toBe("12:30:00 – 12:30:05: 1 row, 2 to 9 events missing");
});

test("prints the first rows of a large window, and the number of the others", () => {
  const shown = lines(Array.from({ length: 100 }, (_, n) => row(`zone-${n}`, n)));
  expect(shown[0]).toContain("100 rows");
  expect(shown).toHaveLength(1 + 40 + 1 + 1);
  expect(shown.at(-2)).toBe("  and 60 more");
  expect(shown[1]).toBe("  zone-99  99");
});
