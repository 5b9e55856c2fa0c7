import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { compareIds } from "../../src/stream/entry-id.ts";
import { TrimGuard } from "../../src/stream/trim-guard.ts";

const T = 1_000;

describe("how far a stream may be trimmed", () => {
  it("is the commit if there are no other readers, or they are ahead", () => {
    const guard = new TrimGuard("mine", T);
    const groups = [
      { name: "mine", doneUpTo: "1-0" },
      { name: "fast", doneUpTo: "9-0" },
    ];
    expect(guard.trimPoint("5-0", groups, 0)).toEqual({ below: "5-0", abandoned: [], resumed: [] });
    expect(guard.trimPoint("5-0", groups, 10 * T).below).toBe("5-0");
    expect(guard.abandonedGroups).toBe(0);
  });

  it("never passes a group that made progress within the limit, nor the commit", () => {
    const place = fc.nat(30).map((n) => `${n}-0`);
    const look = fc.record({ committed: place, a: place, b: place, passed: fc.nat(T * 2) });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 20 }), (looks) => {
        const guard = new TrimGuard("mine", T);
        const seen = new Map<string, { readonly at: string; readonly since: number }>();
        let now = 0;
        for (const { committed, a, b, passed } of looks) {
          now += passed;
          const groups = [
            { name: "a", doneUpTo: a },
            { name: "b", doneUpTo: b },
          ];
          const { below } = guard.trimPoint(committed, groups, now);
          const holding = groups.filter(({ name, doneUpTo }) => {
            const before = seen.get(name);
            const since = before?.at === doneUpTo ? before.since : now;
            seen.set(name, { at: doneUpTo, since });
            return now - since < T;
          });
          const bounds = [committed, ...holding.map(({ doneUpTo }) => doneUpTo)].sort(compareIds);
          expect(below).toBe(bounds[0]);
        }
      }),
    );
  });
});
