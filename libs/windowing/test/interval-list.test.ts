import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { IntervalList } from "../src/interval-list.ts";

/** An interval that counts how often it is looked at. */
class Counted {
  static looks = 0;
  readonly #open: number;
  readonly #last: number;

  constructor(open: number, last: number) {
    this.#open = open;
    this.#last = last;
  }

  get open(): number {
    Counted.looks++;
    return this.#open;
  }

  get last(): number {
    Counted.looks++;
    return this.#last;
  }
}

describe("IntervalList", () => {
  test("finds what a full search finds, after any insertions and removals", () => {
    const steps = fc.array(
      fc.record({
        do: fc.constantFrom<"insert" | "remove" | "drop">("insert", "insert", "insert", "remove", "drop"),
        at: fc.nat(100),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const intervals = new IntervalList<{ open: number; last: number }>();
        let naive: { open: number; last: number }[] = [];
        for (const step of list) {
          const near = naive.find(({ open, last }) => open <= step.at + 3 && last >= step.at - 1);
          if (step.do === "insert" && near === undefined) {
            const item = { open: step.at, last: step.at + 2 };
            intervals.insert(item);
            naive.push(item);
          } else if (step.do === "remove" && near !== undefined) {
            intervals.remove(near);
            intervals.remove(near);
            naive = naive.filter((item) => item !== near);
          } else if (step.do === "drop") {
            intervals.dropBefore(step.at / 4);
            naive = naive.filter(({ last }) => last >= step.at / 4);
          }
          naive.sort((a, b) => a.open - b.open);
          expect([...intervals]).toEqual(naive);
          expect(intervals.size).toBe(naive.length);
          expect(intervals.first()).toBe(naive[0]);
          const found = naive.filter(({ open, last }) => open <= step.at + 9 && last >= step.at - 9);
          expect(intervals.within(step.at - 9, step.at + 9)).toEqual(found);
        }
      }),
    );
  });

  test("visits a few of 20,000 intervals", () => {
    const intervals = new IntervalList<Counted>();
    const items = Array.from({ length: 20_000 }, (_, index) => new Counted(index * 10, index * 10 + 1));
    for (const item of items) intervals.insert(item);
    const looksOf = (call: () => void): number => {
      Counted.looks = 0;
      call();
      return Counted.looks;
    };
    const middle = items[12_345];
    expect(looksOf(() => intervals.within(123_448, 123_452))).toBeLessThan(25);
    expect(
      looksOf(() => {
        if (middle !== undefined) intervals.remove(middle);
      }),
    ).toBeLessThan(25);
    expect(
      looksOf(() => {
        intervals.insert(new Counted(123_450, 123_451));
      }),
    ).toBeLessThan(25);
    expect(
      looksOf(() => {
        [...items.slice(0, 1_000)].forEach((item) => {
          intervals.remove(item);
        });
      }),
    ).toBe(0);
  });
});
