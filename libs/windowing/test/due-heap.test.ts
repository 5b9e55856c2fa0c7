import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { DueHeap, type HeapItem } from "../src/due-heap.ts";

interface Item extends HeapItem {
  readonly order: number;
}

describe("DueHeap", () => {
  test("returns items in order of (due, order) after any pushes, moves and removals", () => {
    const operations = fc.array(
      fc.record({ do: fc.constantFrom("push", "push", "move", "remove"), pick: fc.nat(), due: fc.nat(20) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(operations, (list) => {
        const heap = new DueHeap<Item>();
        const held: Item[] = [];
        list.forEach(({ do: what, pick, due }, order) => {
          const item = held[pick % Math.max(1, held.length)];
          if (what === "push" || item === undefined) {
            const fresh = { due, order, slot: -1 };
            held.push(fresh);
            heap.push(fresh);
          } else if (what === "move") heap.move(item, due);
          else {
            heap.remove(item);
            held.splice(held.indexOf(item), 1);
            expect(item.slot).toBe(-1);
          }
          expect(heap.size).toBe(held.length);
          expect([...heap].every(({ slot }, index) => slot === index)).toBe(true);
        });
        const expected = [...held].sort((a, b) => a.due - b.due || a.order - b.order);
        const actual: Item[] = [];
        for (let item = heap.peek(); item !== undefined; item = heap.peek()) {
          heap.remove(item);
          actual.push(item);
        }
        expect(actual).toEqual(expected);
      }),
    );
  });
});
