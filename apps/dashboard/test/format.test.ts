import { expect, test } from "@jest/globals";
import {
  formatBytes,
  formatCompleteness,
  formatDuration,
  formatLoss,
  formatNumber,
  formatOpen,
  formatRange,
  formatRate,
  formatValue,
} from "../page/format/format.ts";

// Local time, so that the tests hold in every time zone.
const at = (hour: number, minute: number, second: number, day = 28): number =>
  new Date(2026, 10, day, hour, minute, second).getTime();

test.each([
  [0, "0 ms"],
  [0.44, "0.4 ms"],
  [380, "380 ms"],
  [999.7, "1.0 s"],
  [1_240, "1.2 s"],
  [9_960, "10 s"],
  [59_600, "1 min"],
  [200_000, "3 min 20 s"],
  [7_500_000, "2 h 5 min"],
  [200_000_000, "2 d 8 h"],
  [-1_500, "−1.5 s"],
])("%d ms is %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test("numbers and rates are short enough for a tile", () => {
  expect([1234, 0.126, 12_345_678].map(formatNumber)).toEqual(["1,234", "0.13", "12.35M"]);
  expect([null, 0, 0.04, 9.96, 1234.4].map(formatRate)).toEqual(["–", "0", "0", "10", "1,234"]);
  expect([null, 999, 12_400, 2_500_000].map(formatBytes)).toEqual(["–", "999 B", "12.4 kB", "2.5 MB"]);
});

test("known loss is a number or a range", () => {
  expect(formatLoss({ atLeast: 3, atMost: 5 })).toBe("3 to 5 events missing");
  expect(formatLoss({ atLeast: 1, atMost: 1 })).toBe("1 event missing");
  expect(formatLoss({ atLeast: 0, atMost: 4 })).toBe("up to 4 events missing");
  expect(formatLoss({ atLeast: 0, atMost: 0 })).toBeUndefined();
  expect(formatCompleteness(true)).toBe("complete");
  expect(formatCompleteness("unknown")).toBe("completeness not known");
});

test("a window is a range of times of its day", () => {
  const now = at(14, 0, 0);
  expect(formatRange(at(13, 25, 0), at(13, 25, 5), now)).toBe("13:25:00 – 13:25:05");
  expect(formatRange(at(13, 25, 0, 27), at(13, 25, 5, 27), now)).toBe("27 Nov, 13:25:00 – 13:25:05");
  expect(formatOpen(at(13, 25, 0), at(13, 25, 5))).toBe("13:25:00");
});

test("a window of days is one or two dates", () => {
  const now = at(14, 0, 0);
  expect(formatRange(at(0, 0, 0, 27), at(0, 0, 0, 28), now)).toBe("27 Nov 2026");
  expect(formatRange(at(0, 0, 0, 21), at(0, 0, 0, 28), now)).toBe("21 Nov 2026 – 27 Nov 2026");
  expect(formatOpen(at(0, 0, 0, 27), at(0, 0, 0, 28))).toBe("27 Nov");
});

test("a result without numbers is short JSON", () => {
  expect(formatValue({ last: "a" })).toBe('{"last":"a"}');
  expect(formatValue(null)).toBe("–");
  expect(formatValue("x".repeat(500))).toHaveLength(120);
});
