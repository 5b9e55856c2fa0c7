import { expect, test } from "@jest/globals";
import { eventLines, wrongCount } from "../src/lab/tally.ts";

/** A row for each of the first generated events. */
function rowsOf(events: number): readonly string[] {
  const lines = eventLines();
  return Array.from({ length: events }, (_, i) => {
    const { os_timezone: timezone, device_is_mobile: mobile } = JSON.parse(lines[i % lines.length] ?? "") as {
      readonly os_timezone: string;
      readonly device_is_mobile: boolean;
    };
    return JSON.stringify({ timezone, num_mobile_users: Number(mobile) });
  });
}

test.each([[[10]], [[12_000]], [[30_007, 500]]])("rows add up to what %p events come to", (publications) => {
  const rows = publications.flatMap(rowsOf);
  expect(wrongCount(publications, rows)).toBeUndefined();
  // A zone without mobile events may be left out.
  const mobile = rows.filter((row) => row.includes(":1}"));
  expect(wrongCount(publications, mobile)).toBeUndefined();
});

test("a row too few, too many or under another zone shows", () => {
  const mobile = rowsOf(1_000).filter((row) => row.includes(":1}"));
  const elsewhere = JSON.stringify({ timezone: "Mars/Olympus_Mons", num_mobile_users: 1 });
  expect(wrongCount([1_000], mobile.slice(1))).toMatch(/has -1 mobile events more/);
  expect(wrongCount([1_000], [...mobile, ...mobile.slice(0, 1)])).toMatch(/has 1 mobile events more/);
  expect(wrongCount([1_000], [...mobile, elsewhere])).toBe(
    "Mars/Olympus_Mons has 1 mobile events more than were published",
  );
});
