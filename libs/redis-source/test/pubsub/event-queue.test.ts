import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { FrameHeader } from "../../src/wire/frame.ts";
import { EventQueue } from "../../src/pubsub/event-queue.ts";
import type { QueueEntry } from "../../src/pubsub/event-queue.ts";

const action = fc.oneof(
  fc.record({ do: fc.constant("line" as const), event: fc.string({ unit: "grapheme-ascii", maxLength: 8 }) }),
  fc.record({
    do: fc.constant("frame" as const),
    events: fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 3 }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ do: fc.constant("take" as const) }),
  fc.record({ do: fc.constant("drop" as const) }),
);

function header(first: number, count: number, producer = "p"): FrameHeader {
  return { producer, first, count, publishedAtMs: 0 };
}

function takeAll(queue: EventQueue): QueueEntry[] {
  const entries: QueueEntry[] = [];
  for (let entry = queue.take(); entry !== undefined; entry = queue.take()) entries.push(entry);
  return entries;
}

describe("EventQueue", () => {
  it("behaves as a plain array under any mix of lines, frames, takes and drops", () => {
    const limits = fc.record({
      maxEvents: fc.integer({ min: 1, max: 12 }),
      maxBytes: fc.integer({ min: 1, max: 40 }),
      maxBatchEvents: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(limits, fc.array(action, { maxLength: 80 }), (bounds, actions) => {
        const queue = new EventQueue(bounds);
        let model: string[] = [];
        for (const step of actions) {
          if (step.do === "line") {
            queue.pushLine(step.event, step.event.length);
            model.push(step.event);
          } else if (step.do === "frame") {
            queue.pushFrame(header(0, step.events.length), step.events, step.events.join("").length);
            model.push(...step.events);
          } else {
            const entry = step.do === "take" ? queue.take() : queue.dropOldest();
            const lines = entry?.lines ?? [];
            expect(lines.length > 0).toBe(model.length > 0);
            expect(lines).toEqual(model.slice(0, lines.length));
            if (step.do === "drop" && entry?.header === undefined) {
              expect(lines.length).toBe(Math.min(1, model.length));
            }
            model = model.slice(lines.length);
          }
          const bytes = model.join("").length;
          expect([queue.length, queue.bytes]).toEqual([model.length, bytes]);
          expect(queue.full).toBe(model.length >= bounds.maxEvents || bytes >= bounds.maxBytes);
        }
      }),
    );
  });

  it("returns bare lines in the array that they were gathered in", () => {
    const queue = new EventQueue({ maxEvents: 9, maxBytes: 9, maxBatchEvents: 3 });
    for (const event of ["1", "2", "3", "4"]) queue.pushLine(event, 1);
    expect(takeAll(queue).map(({ lines }) => lines)).toEqual([["1", "2", "3"], ["4"]]);
  });

  it("returns no entry with more lines than asked for, except one without lines", () => {
    const queue = new EventQueue({ maxEvents: 9, maxBytes: 9, maxBatchEvents: 3 });
    queue.pushNotice(header(0, 0));
    queue.pushFrame(header(0, 2), ["a", "b"], 2);
    expect(queue.take(-1)?.header).toEqual(header(0, 0));
    expect(queue.take(1)).toBeUndefined();
    expect(queue.take(2)?.lines).toEqual(["a", "b"]);
    expect(queue.take()).toBeUndefined();
  });

  it("stays in order when it grows long", () => {
    const queue = new EventQueue({ maxEvents: 9e9, maxBytes: 9e9, maxBatchEvents: 1 });
    const taken: (string | Uint8Array)[] = [];
    for (let i = 0; i < 10_000; i += 1) {
      queue.pushLine(String(i), 1);
      if (i % 4 > 0) taken.push(...(queue.take()?.lines ?? []));
    }
    expect(taken).toHaveLength(7_500);
    for (const { lines } of takeAll(queue)) taken.push(...lines);
    expect(taken).toEqual(Array.from({ length: 10_000 }, (_, i) => String(i)));
  });

  it("keeps header-only entries in order, one for consecutive numbers, up to a limit", () => {
    const queue = new EventQueue({ maxEvents: 3, maxBytes: 9, maxBatchEvents: 3 });
    queue.pushFrame(header(0, 1), ["a"], 1);
    queue.pushNotice(header(1, 0));
    queue.pushNotice(header(1, 5));
    queue.pushNotice(header(6, 2));
    queue.pushNotice(header(0, 3, "q"));
    queue.pushNotice(header(9, 0));
    queue.pushNotice(header(12, 0));
    queue.pushNotice(header(15, 0));
    queue.pushNotice(header(18, 0));
    expect([queue.length, queue.bytes]).toEqual([1, 1]);
    expect(takeAll(queue).map((entry) => entry.header)).toEqual([
      header(0, 1),
      header(1, 7),
      header(0, 3, "q"),
      header(9, 0),
      header(12, 0),
      header(15, 0),
    ]);
  });
});
