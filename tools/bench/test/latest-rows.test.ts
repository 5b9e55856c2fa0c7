import { expect, test } from "@jest/globals";
import { LatestRows, Tally } from "../src/lab/tally.ts";

function row(open: number, timezone: string, count: number): string {
  return JSON.stringify({ timezone, num_mobile_users: count, window: { open, close: open + 1_000 } });
}

test("rows that are read again count once, as they were read last", () => {
  const rows = new LatestRows();
  rows.add(row(0, "UTC", 3));
  rows.add(row(0, "UTC", 4), row(0, "Asia/Tokyo", 1), row(1_000, "UTC", 2));
  rows.add(row(1_000, "UTC", 2));
  const expected = Tally.of([row(0, "UTC", 6), row(0, "Asia/Tokyo", 1)]);
  expect(Tally.of(rows.lines).differenceTo(expected)).toBeUndefined();
});
