import { describe, expect, it } from "@jest/globals";
import { RedisOptionsError } from "../../src/errors.ts";
import { hashTag, partitionNames } from "../../src/partitions/partition-names.ts";

describe("partitionNames", () => {
  it("keeps any name of a single partition", () => {
    expect(partitionNames("device_events", 1)).toEqual(["device_events"]);
    expect(partitionNames("{a}b", 1)).toEqual(["{a}b"]);
  });

  it("makes the name of each of several a hash tag", () => {
    expect(partitionNames("device_events", 3)).toEqual([
      "{device_events:0}",
      "{device_events:1}",
      "{device_events:2}",
    ]);
  });

  it.each([
    ["", 1],
    ["a", 0],
    ["a", 1.5],
    ["a", 16_385],
    ["{a}b", 2],
    ["a}", 2],
  ])("refuses %j in %d partitions", (name, partitions) => {
    expect(() => partitionNames(name, partitions)).toThrow(RedisOptionsError);
  });
});

describe("hashTag", () => {
  it.each([
    ["device_events", "{device_events}"],
    ["{device_events:3}", "{device_events:3}"],
    ["clicks:{eu}:raw:{x}", "{eu}"],
    ["a{b", "{a{b}"],
    ["{{a}", "{{a}"],
  ])("of %j is %j", (name, tag) => {
    expect(hashTag(name)).toBe(tag);
  });

  it.each(["{}a", "a}b", "}{a"])("there is none for %j", (name) => {
    expect(() => hashTag(name)).toThrow(RedisOptionsError);
  });
});
