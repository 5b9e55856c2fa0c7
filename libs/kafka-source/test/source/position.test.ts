import { describe, expect, it } from "@jest/globals";
import { ProducerLedger } from "@millrace/redis-source";
import { Losses } from "../../src/source/losses.ts";
import { dividePosition, readPosition, unitePosition, writePosition } from "../../src/source/position.ts";

describe("a position", () => {
  it("is the same after it was divided and united", () => {
    const ledger = new ProducerLedger();
    ledger.accept({ producer: "p", first: 3, count: 2, publishedAtMs: 1_000 }, 1_000);
    ledger.accept({ producer: "p", first: 7, count: 1, publishedAtMs: 2_000 }, 2_000);
    const losses = new Losses();
    losses.begin(5, 100);
    losses.end(200);
    const given = {
      topicId: "t",
      partitions: 3,
      offset: 12,
      losses: losses.snapshot(),
      ledger: ledger.snapshot(),
    };
    const position = writePosition(given);
    const divided = dividePosition(position);
    expect([...divided.fields.keys()]).toEqual(["p:p", "losses"]);
    expect(unitePosition(divided)).toEqual(position);
    // Before the task is acquired only the head is known.
    expect(readPosition(divided.head)).toMatchObject({ topicId: "t", partitions: 3, offset: 12 });
  });

  it("with gaps that have no end, or no number, is read as it was written", () => {
    const losses = [
      [100, 200, 5],
      [300, 400, null],
      [500, null, 2],
    ];
    const position = { topicId: "t", offset: 12, losses, ledger: null };
    expect(readPosition(position).losses).toEqual(losses);
  });

  it.each([null, 7, {}, { topicId: "t", offset: -1 }, { topicId: 1, offset: 0 }, { id: "0-0", entries: 1 }])(
    "of another kind is refused: %j",
    (position) => {
      expect(() => readPosition(position)).toThrow("Reset the task's state");
    },
  );
});

describe("what was gone before it was read", () => {
  it("makes the windows incomplete that it touches, and no others", () => {
    const losses = new Losses();
    losses.begin(5, 100);
    losses.end(200);
    expect(losses.completeness(0, 100)).toBe(true);
    expect(losses.completeness(50, 101)).toEqual({ atLeast: 0, atMost: 5 });
    expect(losses.completeness(200, 300)).toEqual({ atLeast: 0, atMost: 5 });
    expect(losses.completeness(201, 300)).toBe(true);
  });

  it("makes all windows incomplete from where it begins, until a later record shows its end", () => {
    const losses = new Losses();
    losses.begin(5, 100);
    losses.begin(2, 150);
    for (const each of [losses, new Losses(losses.snapshot())]) {
      expect(each.completeness(0, 100)).toBe(true);
      expect(each.completeness(900, 1_000)).toEqual({ atLeast: 0, atMost: 7 });
      expect(each.end(200)).toBe(true);
      expect(each.end(300)).toBe(false);
      expect(each.completeness(150, 250)).toEqual({ atLeast: 0, atMost: 7 });
      expect(each.completeness(900, 1_000)).toBe(true);
    }
    losses.begin(null, 300);
    losses.end(400);
    expect(losses.completeness(0, 1_000)).toBe("unknown");
    expect(losses.completeness(401, 1_000)).toBe(true);
  });

  it("is bounded: the oldest gaps become one", () => {
    const losses = new Losses();
    for (let i = 0; i < 100; i += 1) {
      losses.begin(1, i * 10);
      losses.end(i * 10 + 1);
    }
    expect(losses.snapshot()).toHaveLength(64);
    expect(losses.completeness(0, 1_000)).toEqual({ atLeast: 0, atMost: 100 });
    expect(losses.completeness(900, 1_000)).toEqual({ atLeast: 0, atMost: 10 });
  });
});
