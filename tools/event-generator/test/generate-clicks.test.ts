import { clickCodec, type ClickEvent } from "@millrace/event-schema";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { generateClicks } from "../src/generate-clicks.ts";
import { TIME_ZONES } from "../src/time-zones.ts";

const clicks = [...generateClicks()];

function countBy(key: (click: ClickEvent) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const click of clicks) counts.set(key(click), (counts.get(key(click)) ?? 0) + 1);
  return counts;
}

describe("generateClicks", () => {
  test("generates the requested number of events, 12,000 by default", () => {
    expect(clicks).toHaveLength(12_000);
    expect([...generateClicks({ events: 0 })]).toEqual([]);
    expect([...generateClicks({ events: 7 })]).toHaveLength(7);
  });

  test("generates the same events from the same seed, others from another, and a longer run begins like a shorter one", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), fc.nat({ max: 300 }), (seed, events) => {
        const short = [...generateClicks({ seed, events })];
        const long = [...generateClicks({ seed, events: events + 50 })];
        expect(long.slice(0, events)).toEqual(short);
        expect([...generateClicks({ seed: seed + 1, events: events + 50 })]).not.toEqual(long);
      }),
      { numRuns: 5 },
    );
  });

  test.each([{ events: -1 }, { events: 1.5 }, { seed: Number.NaN }])("refuses %p", (options) => {
    expect(() => [...generateClicks(options)]).toThrow(RangeError);
  });

  test("generates clicks that match the schema, with the fields in its order", () => {
    const lines = clicks.map((click) => clickCodec.encode(click));
    const decoded = lines.map((line) => clickCodec.decode(line));
    expect(decoded).toEqual(clicks.map((event) => ({ kind: "event", event })));
    expect(Object.keys(clicks[0] ?? {})).toEqual([
      "click_id",
      "os",
      "os_name",
      "os_timezone",
      "device_type",
      "device_is_mobile",
      "user_custom_id",
      "user_domain_id",
    ]);
  });

  test("spreads users over 50 and more time zones, the first far ahead of the last", () => {
    const zones = [...countBy(({ os_timezone }) => os_timezone)].sort(([, one], [, other]) => other - one);
    expect(zones.length).toBeGreaterThanOrEqual(50);
    const [top = ["", 0]] = zones;
    expect(top[1]).toBeGreaterThan(clicks.length / 10);
    const tail = zones.slice(zones.length / 2).reduce((sum, [, count]) => sum + count, 0);
    expect(tail).toBeLessThan(clicks.length / 5);
  });

  test("repeats clicks and users", () => {
    const perClick = [...countBy(({ click_id }) => click_id).values()];
    expect(perClick.length).toBeLessThan(clicks.length * 0.9);
    expect(perClick.length).toBeGreaterThan(clicks.length * 0.6);
    const perUser = [...countBy(({ user_domain_id }) => user_domain_id).values()];
    expect(perUser.length).toBeGreaterThan(1_000);
    expect(Math.max(...perUser)).toBeGreaterThan(20);
  });

  test("repeats a click unchanged", () => {
    const lines = new Set(clicks.map((click) => clickCodec.encode(click)));
    expect(lines.size).toBe(countBy(({ click_id }) => click_id).size);
  });

  test("gives each user one time zone, and devices with consistent fields", () => {
    const homes = countBy(({ user_domain_id, os_timezone }) => `${user_domain_id} ${os_timezone}`);
    expect(homes.size).toBe(countBy(({ user_domain_id }) => user_domain_id).size);
    const kinds = countBy((click) => `${click.os_name} ${click.device_type} ${click.device_is_mobile}`);
    expect([...kinds.keys()].sort()).toEqual([
      "Android Mobile true",
      "Linux Computer false",
      "MacOS Computer false",
      "Windows Computer false",
      "iOS Mobile true",
    ]);
  });
});

describe("TIME_ZONES", () => {
  test("are zones known to the platform, without duplicates", () => {
    expect(new Set(TIME_ZONES).size).toBe(TIME_ZONES.length);
    for (const timeZone of TIME_ZONES) {
      expect(() => new Intl.DateTimeFormat("en", { timeZone })).not.toThrow();
    }
  });
});
