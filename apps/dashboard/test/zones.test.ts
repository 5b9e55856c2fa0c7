import { describe, expect, test } from "@jest/globals";
import { areZones, placeOf } from "../page/map/zones.ts";

describe("the place of a time zone", () => {
  test.each([
    ["Europe/Madrid", 40.4, -3.7],
    ["America/New_York", 40.7, -74],
    ["America/Argentina/Buenos_Aires", -34.6, -58.5],
    ["Australia/Sydney", -33.9, 151.2],
  ])("%s", (zone, latitude, longitude) => {
    expect(placeOf(zone)).toEqual({ latitude, longitude });
  });

  test.each([
    ["Asia/Calcutta", "Asia/Kolkata"],
    ["Asia/Saigon", "Asia/Ho_Chi_Minh"],
    ["Europe/Kiev", "Europe/Kyiv"],
    ["US/Pacific", "America/Los_Angeles"],
    ["America/Buenos_Aires", "America/Argentina/Buenos_Aires"],
  ])("%s is where %s is", (alias, zone) => {
    expect(placeOf(alias)).toEqual(placeOf(zone));
    expect(placeOf(alias)).toBeDefined();
  });

  test.each(["", "UTC", "Etc/GMT+3", "Europe/Atlantis", "orders/eu", "customer-17", "Europe/Madrid "])(
    "%j has none",
    (key) => {
      expect(placeOf(key)).toBeUndefined();
    },
  );

  test("every zone that this engine knows and that is no offset has one", () => {
    const zones = Intl.supportedValuesOf("timeZone").filter((zone) => /^(?!Etc)\w+\//.test(zone));
    const without = zones.filter((zone) => placeOf(zone) === undefined);
    expect(without).toEqual([]);
  });
});

test("keys are time zones if at least half of them are", () => {
  expect(areZones(["Europe/Madrid", "Asia/Tokyo", "(overflow)", "unknown"])).toBe(true);
  expect(areZones(["Europe/Madrid", "unknown", "other"])).toBe(false);
  expect(areZones([])).toBe(false);
});
