import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { IterableSource, run } from "@millrace/dataflow";
import { tumbling } from "@millrace/windowing";
import type { WindowResult } from "@millrace/windowing";
import { audience } from "../../src/flows/audience.ts";
import { provenance } from "@millrace/command/flow";
import { clickLine } from "../support/clicks.ts";
import { EXAMPLE_EVENTS, expectedAudience, testWithExample } from "../support/example.ts";
import { testParts } from "../support/parts.ts";

/** The rows of one window over all lines, in order of time zones. */
async function rowsOf(lines: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const windower = tumbling(10_000 * 86_400_000);
  const parts = testParts({ source: new IterableSource(lines), windower });
  await run(audience(parts));
  return parts
    .takeLines()
    .toSorted()
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("audience", () => {
  test("counts events, clicks and users separately, with the origin of a row", async () => {
    const rows = await rowsOf([
      clickLine({ click_id: "1", user_custom_id: "ann" }),
      clickLine({ click_id: "1", user_custom_id: "ann" }),
      clickLine({ click_id: "2", user_custom_id: "ann", device_is_mobile: false }),
      clickLine({ click_id: "3", user_custom_id: "bob", device_is_mobile: false }),
      clickLine({ click_id: "4", user_custom_id: "ann", os_timezone: "UTC", device_is_mobile: false }),
    ]);
    const common = {
      window: { id: expect.any(Number), open: expect.any(Number), close: expect.any(Number) },
      revision: 0,
      cause: "end",
      complete: "unknown",
    };
    expect(rows).toEqual([
      {
        timezone: "Europe/Madrid",
        events: 4,
        mobile_events: 2,
        distinct_clicks: 3,
        distinct_users: 2,
        distinct_mobile_users: 1,
        ...common,
      },
      {
        timezone: "UTC",
        events: 1,
        mobile_events: 0,
        distinct_clicks: 1,
        distinct_users: 1,
        distinct_mobile_users: 0,
        ...common,
      },
    ]);
  });

  test("accepts any text as a click, a user or a time zone", async () => {
    const names = ["constructor", "__proto__", "toString", "a:b", "1:a"];
    const rows = await rowsOf(
      names.flatMap((name) => [
        clickLine({ click_id: name, user_custom_id: name, os_timezone: name }),
        clickLine({ click_id: "other", user_custom_id: name, os_timezone: name, device_is_mobile: false }),
      ]),
    );
    expect(rows.map(({ timezone }) => timezone).toSorted()).toEqual(names.toSorted());
    for (const row of rows) {
      expect(row).toMatchObject({
        events: 2,
        distinct_clicks: 2,
        distinct_users: 1,
        distinct_mobile_users: 1,
      });
    }
  });

  test("has the number of values that a full fold left out in its rows", () => {
    const result: WindowResult<number> = {
      key: "UTC",
      value: 2,
      window: { id: 0, open: 0, close: 5, mergedIds: [] },
      revision: 0,
      cause: "watermark",
      complete: true,
    };
    expect(provenance({ ...result, overflow: 3 })).toMatchObject({ overflow: 3 });
    expect(provenance(result)).not.toHaveProperty("overflow");
  });

  testWithExample("has the honest numbers of the tutorial's events", async () => {
    const rows = await rowsOf(readFileSync(EXAMPLE_EVENTS, "utf8").trimEnd().split("\n"));
    expect(rows.find(({ timezone }) => timezone === "Europe/Madrid")).toMatchObject({
      events: 49,
      mobile_events: 45,
      distinct_users: 4,
      distinct_mobile_users: 3,
    });
    expect(rows).toMatchObject(expectedAudience());
    expect(rows).toHaveLength(51);
  });
});
