import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { EventQueue } from "../../src/pubsub/event-queue.ts";

const action = fc.oneof(
  fc.record({ do: fc.constant("push" as const), event: fc.string({ maxLength: 8 }) }),
  fc.record({ do: fc.constant("take" as const) }),
  fc.record({ do: fc.constant("drop" as const) }),
);

describe("EventQueue", () => {
  it("behaves as a plain array under any mix of pushes, takes and drops", () => {
    const limits = fc.record({
      maxEvents: fc.integer({ min: 1, max: 12 }),
      maxBytes: fc.integer({ min: 1, max: 40 }),
      maxBatchEvents: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(limits, fc.array(action, { maxLength: 80 }), (bounds, actions) => {
        const queue = new EventQueue<string>(bounds, (event) => event.length);
        let model: string[] = [];
        for (const step of actions) {
          if (step.do === "push") {
            queue.push(step.event, step.event.length);
            model.push(step.event);
          } else if (step.do === "take") {
            const batch = queue.takeBatch();
            expect(batch.length).toBeLessThanOrEqual(bounds.maxBatchEvents);
            expect(batch.length > 0).toBe(model.length > 0);
            expect(batch).toEqual(model.slice(0, batch.length));
            model = model.slice(batch.length);
          } else {
            queue.dropOldest();
            model = model.slice(1);
          }
          const bytes = model.join("").length;
          expect([queue.length, queue.bytes]).toEqual([model.length, bytes]);
          expect(queue.full).toBe(model.length >= bounds.maxEvents || bytes >= bounds.maxBytes);
        }
      }),
    );
  });

  it("hands over everything in one array when it fits one batch", () => {
    const queue = new EventQueue<number>({ maxEvents: 9, maxBytes: 9, maxBatchEvents: 3 }, () => 1);
    for (const event of [1, 2, 3, 4]) queue.push(event, 1);
    expect(queue.takeBatch()).toEqual([1, 2, 3]);
    expect(queue.takeBatch()).toEqual([4]);
    expect(queue.takeBatch()).toEqual([]);
  });
});
