import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { RedisOptionsError } from "@millrace/redis-source";
import { TaskKeys } from "@millrace/redis-store";

/** The part of a key that Redis Cluster hashes. */
function hashed(key: string): string {
  const open = key.indexOf("{");
  const close = key.indexOf("}", open + 1);
  return open < 0 || close < open + 2 ? key : key.slice(open + 1, close);
}

function allOf(keys: TaskKeys): readonly string[] {
  const { meta, groups, staged, journal, absent } = keys;
  const results = [keys.results("out"), keys.window("out", "7"), keys.revisions("out", "7")];
  return [meta, groups, staged, journal, absent, keys.group("per_5s/12"), ...results];
}

describe("the keys of a task", () => {
  it("carry the partition's own tag", () => {
    const keys = new TaskKeys({ flow: "mobile_counts", part: "{device_events:3}" });
    expect(keys.meta).toBe("millrace:{device_events:3}:mobile_counts:meta");
    expect(keys.group("per_5s/12")).toBe("millrace:{device_events:3}:mobile_counts:group:per_5s/12");
    expect(keys.window("out", "12")).toBe("millrace:{device_events:3}:mobile_counts:results:out:12");
  });

  it("carry the whole name of a partition without one", () => {
    const keys = new TaskKeys({ flow: "f", part: "device_events" }, "shop");
    expect(keys.meta).toBe("shop:{device_events}:f:meta");
  });

  it("have the slot of the partition, if it has one", () => {
    for (const part of ["device_events", "{device_events:3}", "a{b}c", "a{b}{c}", "{b", "ä"]) {
      for (const key of allOf(new TaskKeys({ flow: "f", part }))) expect(hashed(key)).toBe(hashed(part));
    }
  });

  it("share one tag, whatever flow and partition are called", () => {
    const text = fc.string({ unit: fc.constantFrom("{", ":", "a", "%", '"', "\ud800"), maxLength: 6 });
    const tag = fc.constantFrom("", "{t}", "}{t}", "{t}}");
    fc.assert(
      fc.property(text, text, tag, text, (flow, before, own, after) => {
        fc.pre(before + own + after !== "" && !(before + own).includes("{}"));
        const keys = allOf(new TaskKeys({ flow, part: before + own + after }));
        expect(new Set(keys.map(hashed)).size).toBe(1);
        expect(keys[0]).not.toBe(hashed(keys[0] ?? ""));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(["", "a}b"])("cannot be made for a partition called %j", (part) => {
    expect(() => new TaskKeys({ flow: "f", part })).toThrow(RedisOptionsError);
  });

  it("are distinct for flows with similar names", () => {
    const one = new TaskKeys({ flow: "a", part: "p" });
    const other = new TaskKeys({ flow: "a:group", part: "p" });
    expect(one.group("meta")).not.toBe(other.meta);
  });

  it.each(["", "a{b", "{tag}"])("refuse the prefix %j", (prefix) => {
    expect(() => new TaskKeys({ flow: "f", part: "p" }, prefix)).toThrow(RedisOptionsError);
  });
});
