import { describe, expect, test } from "@jest/globals";
import { Screen } from "../src/screen.ts";
import { WindowView, parseRow } from "../src/window-view.ts";

interface Trust {
  readonly cause?: string;
  readonly complete?: boolean | "unknown";
}

function row(
  timezone: string,
  count: number,
  open: number,
  { cause = "watermark", complete = true }: Trust = {},
): string {
  const window = { id: open / 5_000, open, close: open + 5_000 };
  return JSON.stringify({ timezone, num_mobile_users: count, window, cause, complete });
}

function shown(lines: readonly string[]): string {
  let text = "";
  const view = new WindowView(new Screen({ write: (chunk) => (text += chunk) }));
  for (const line of lines) {
    const parsed = parseRow(line);
    if (parsed !== undefined) view.add(parsed);
  }
  view.flush();
  return text;
}

describe("WindowView", () => {
  test("shows each window as a whole, the largest zones first", () => {
    const text = shown([row("UTC", 1, 0), row("Europe/Madrid", 4, 0), row("UTC", 2, 5_000)]);
    expect(text).toMatch(/5 mobile events in 2 time zones\n\s+Europe\/Madrid\s+█+ 4\n\s+UTC\s+█+ 1\n/);
    expect(text.match(/Window /g)).toHaveLength(2);
  });

  test("sums up the zones that do not fit", () => {
    const zones = Array.from({ length: 11 }, (_, n) => row(`Zone/${n}`, n, 0));
    expect(shown(zones)).toContain("and 3 more");
  });

  test.each([
    ["watermark", "its time is over"],
    ["end", "the input is over"],
    ["drain", "stopped"],
  ])("says why a window closed: %s", (cause, why) => {
    expect(shown([row("UTC", 1, 0, { cause })])).toContain(`(${why}; complete)`);
  });

  test.each([
    [true, "complete"],
    [false, "events are missing"],
    ["unknown", "unknown whether complete"],
  ] as const)("says whether events are missing: %s", (complete, words) => {
    expect(shown([row("UTC", 1, 0, { complete })])).toContain(`(its time is over; ${words})`);
  });

  test("ignores lines that are not rows", () => {
    expect(shown(['{"other":1}'])).toBe("");
  });
});
