import { describe, expect, test } from "@jest/globals";
import type { ClickEvent } from "@millrace/event-schema";
import type { Json } from "@millrace/windowing";
import fc from "fast-check";
import { audienceFold } from "../src/audience-fold.ts";
import type { Audience } from "../src/audience-fold.ts";
import { click } from "./support/clicks.ts";

const clicks = fc.array(
  fc
    .record({
      click_id: fc.constantFrom("a", "b", "c", "__proto__"),
      user_custom_id: fc.constantFrom("ann", "bob", "constructor"),
      device_is_mobile: fc.boolean(),
    })
    .map(click),
);

type Crowd = ReturnType<typeof audienceFold.create>;

function crowdOf(events: readonly ClickEvent[], from: Crowd = audienceFold.create()): Crowd {
  return events.reduce((crowd, event) => audienceFold.add(crowd, event, 0), from);
}

/** The same by looking at all events at once. */
function oracle(events: readonly ClickEvent[]): Audience {
  const mobile = events.filter((event) => event.device_is_mobile);
  const different = (values: readonly string[]): number => new Set(values).size;
  return {
    events: events.length,
    mobile_events: mobile.length,
    distinct_clicks: different(events.map((event) => event.click_id)),
    distinct_users: different(events.map((event) => event.user_custom_id)),
    distinct_mobile_users: different(mobile.map((event) => event.user_custom_id)),
  };
}

describe("audienceFold", () => {
  test("counts what a look at all events counts", () => {
    fc.assert(
      fc.property(clicks, (events) => {
        expect(audienceFold.result(crowdOf(events))).toEqual(oracle(events));
      }),
    );
  });

  test("of two parts, one kept as JSON meanwhile, merges into the whole, and can go on", () => {
    fc.assert(
      fc.property(clicks, clicks, clicks, (earlier, later, more) => {
        const kept = JSON.parse(JSON.stringify(audienceFold.snapshot(crowdOf(earlier)))) as Json;
        const merged = audienceFold.merge(audienceFold.restore(kept), crowdOf(later));
        const result = audienceFold.result(crowdOf(more, merged));
        expect(result).toEqual(oracle([...earlier, ...later, ...more]));
      }),
    );
  });

  test("what it told does not change when more comes", () => {
    const crowd = crowdOf([click()]);
    const [result, kept] = [audienceFold.result(crowd), audienceFold.snapshot(crowd)];
    const before = JSON.stringify([result, kept]);
    crowdOf([click({ click_id: "other", user_custom_id: "other" })], crowd);
    expect(JSON.stringify([result, kept])).toBe(before);
  });

  test.each([null, {}, [], [1], [1, 1, ["a"], ["a"], 5]])("refuses %j as its state", (state) => {
    expect(() => audienceFold.restore(state)).toThrow("state is damaged");
  });
});
