import { describe, expect, test } from "@jest/globals";
import { eventLines, wrongCount } from "../src/lab/tally.ts";

/** The rows for a number of generated events, counted in the simplest way. */
function countedOneByOne(publications: readonly number[]): string[] {
  const lines = eventLines();
  return publications.flatMap((events) =>
    Array.from({ length: events }, (_, i) => {
      const click = JSON.parse(lines[i % lines.length] ?? "") as {
        readonly os_timezone: string;
        readonly device_is_mobile: boolean;
      };
      return JSON.stringify({
        timezone: click.os_timezone,
        num_mobile_users: Number(click.device_is_mobile),
      });
    }),
  );
}

describe("what a contender's rows are held to", () => {
  test.each([[[10]], [[12_000]], [[30_007, 500]]])("is what %p events come to", (publications) => {
    expect(wrongCount(publications, countedOneByOne(publications))).toBeUndefined();
    expect(wrongCount(publications, [])).toMatch(/instead of/);
  });

  test("a row too few, too many or under another zone shows", () => {
    const rows = countedOneByOne([1_000]);
    const mobile = rows.find((row) => row.includes(":1}")) ?? "";
    expect(
      wrongCount(
        [1_000],
        rows.filter((row) => row !== mobile),
      ),
    ).toMatch(/instead of/);
    expect(wrongCount([1_000], [...rows, mobile])).toMatch(/instead of/);
    const elsewhere = JSON.stringify({ timezone: "Mars/Olympus_Mons", num_mobile_users: 1 });
    expect(wrongCount([1_000], [...rows, elsewhere])).toBe(
      "Mars/Olympus_Mons has 1 mobile events instead of 0",
    );
  });

  test("a zone without mobile events may be left out", () => {
    const rows = countedOneByOne([1_000]).filter((row) => row.includes(":1}"));
    expect(wrongCount([1_000], rows)).toBeUndefined();
  });
});
