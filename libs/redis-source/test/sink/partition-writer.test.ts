import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { SILENT_LOGGER } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { FrameEncodeError, decodeFrame } from "@millrace/redis-source";
import { PartitionWriter } from "../../src/sink/partition-writer.ts";
import type { WriterFraming } from "../../src/sink/partition-writer.ts";
import type { PublishRow } from "../../src/sink/transport.ts";
import type { ProducerRecord } from "../../src/wire/producer-records.ts";

interface Fixture {
  readonly time: VirtualTime;
  readonly writer: PartitionWriter;
  /** What was sent: producer's number of the first row, then rows, then publish time. */
  readonly sent: (readonly [first: number, rows: readonly unknown[], publishedAtMs: number])[];
  /** Attributes of the heartbeats. */
  readonly heartbeats: unknown[];
  /** Makes sends wait until called. */
  readonly hold: () => () => void;
  readonly fail: (error: Error) => void;
  /** Errors that failed the task. */
  readonly failures: readonly unknown[];
}

function open(settings: Partial<WriterFraming> = {}): Fixture {
  const time = new VirtualTime(1_000);
  const sent: Fixture["sent"] = [];
  const heartbeats: Fixture["heartbeats"] = [];
  let gate = Promise.resolve();
  let failure: Error | undefined;
  let published = 0;
  const sender = {
    disconnects: 0,
    waits: 0,
    get published() {
      return published;
    },
    async publish(messages: readonly PublishRow[], rowsOf: (index: number) => number) {
      await gate;
      if (failure !== undefined) throw failure;
      for (const [index, message] of messages.entries()) {
        const frame = decodeFrame(Buffer.from(message));
        if (frame.kind !== "frame") continue;
        published += rowsOf(index);
        sent.push([frame.first, frame.lines, frame.publishedAtMs]);
        if (frame.count === 0) heartbeats.push(frame.attributes);
      }
    },
    close: () => Promise.resolve(),
  };
  const framing = {
    producer: "p",
    maxFrameEvents: 3,
    maxFrameSize: 20,
    lingerMs: 10,
    heartbeatMs: 1_000,
    ...settings,
  };
  const failures: unknown[] = [];
  const context = {
    time,
    signal: new AbortController().signal,
    logger: SILENT_LOGGER,
    step: "out",
    fail: (error: unknown) => void failures.push(error),
  };
  const writer = new PartitionWriter(sender, framing, context);
  return {
    time,
    writer,
    sent,
    heartbeats,
    failures,
    hold() {
      let release = (): void => undefined;
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        release();
      };
    },
    fail(error) {
      failure = error;
    },
  };
}

/** Lets everything that is ready run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("PartitionWriter", () => {
  it("sends a first heartbeat, full frames at once, and the rest after its wait", async () => {
    const { writer, sent, time } = open();
    await writer.write(["a", "b", "c", "d", "e", "f", "g"]);
    expect(sent).toEqual([
      [0, [], 1_000],
      [0, ["a", "b", "c"], 1_000],
      [3, ["d", "e", "f"], 1_000],
    ]);
    time.set(1_009);
    await writer.write(["h"]);
    expect(sent).toHaveLength(3);
    time.set(1_010);
    await turn();
    expect(sent.slice(3)).toEqual([[6, ["g", "h"], 1_010]]);
  });

  it("limits the size of a frame; a large row gets its own", async () => {
    const { writer, sent } = open();
    await writer.write(["a".repeat(15), "b".repeat(15), "c".repeat(40), "d", "e"]);
    await writer.flush();
    expect(sent.map(([, rows]) => rows.length)).toEqual([0, 1, 1, 1, 2]);
  });

  it("lets no row wait with lingerMs 0", async () => {
    const { writer, sent } = open({ lingerMs: 0 });
    await writer.write(["a"]);
    expect(sent.slice(1)).toEqual([[0, ["a"], 1_000]]);
  });

  it("breaks a silence with a heartbeat that has its next number", async () => {
    const { writer, sent, time } = open();
    await writer.write(["a", "b", "c"]);
    time.set(1_900);
    await writer.write(["d", "e", "f"]);
    time.set(2_899);
    await turn();
    expect(sent).toHaveLength(3);
    time.set(2_900);
    await turn();
    expect(sent.slice(3)).toEqual([[6, [], 2_900]]);
    time.set(3_900);
    await turn();
    expect(sent.slice(4)).toEqual([[6, [], 3_900]]);
  });

  it("accepts no more rows while what it sent has no answer", async () => {
    const { writer, sent, time, hold } = open();
    await writer.flush();
    const release = hold();
    await writer.write(["a"]);
    time.set(1_010);
    const writing = writer.write(["b"]);
    for (const now of [2_500, 3_500, 4_500]) time.set(now);
    await turn();
    expect(sent).toHaveLength(1);
    release();
    await writing;
    await writer.flush();
    expect(sent.slice(1).map(([first, rows]) => [first, rows])).toEqual([
      [0, ["a"]],
      [1, ["b"]],
    ]);
  });

  it("makes one write while the one before is on its way, and no more", async () => {
    const { writer, sent, hold } = open();
    await writer.flush();
    const release = hold();
    await writer.write(["a", "b", "c"]);
    let second = "waits";
    const writing = writer.write(["d", "e", "f"]).then(() => {
      second = "made";
    });
    await turn();
    expect([sent.length, second]).toEqual([1, "waits"]);
    expect(writer.stats().unsent).toBe(6);
    release();
    await writing;
    await writer.flush();
    expect(sent.slice(1).map(([, rows]) => rows)).toEqual([
      ["a", "b", "c"],
      ["d", "e", "f"],
    ]);
  });

  it("waits at its close for frames on their way, and announces its end after them", async () => {
    const { writer, sent, hold } = open();
    await writer.flush();
    const release = hold();
    await writer.write(["a", "b", "c"]);
    const closing = writer.close();
    await turn();
    expect(sent).toHaveLength(1);
    release();
    await closing;
    expect(sent.slice(1).map(([first, rows]) => [first, rows])).toEqual([
      [0, ["a", "b", "c"]],
      [3, []],
    ]);
    expect(writer.stats().unsent).toBe(0);
  });

  it("sends a last heartbeat when it is closed, and then nothing", async () => {
    const { writer, sent, time } = open();
    await writer.write(["a"]);
    await writer.flush();
    await writer.close();
    await writer.close();
    expect(sent.slice(1)).toEqual([
      [0, ["a"], 1_000],
      [1, [], 1_000],
    ]);
    expect(writer.stats().unsent).toBe(0);
    time.set(9_000);
    await turn();
    expect(sent).toHaveLength(3);
    expect(time.nextAlarm).toBeUndefined();
  });

  it("announces its end in the last message, and has its attributes in each heartbeat", async () => {
    const { writer, time, heartbeats } = open({ attributes: { layout: "4" } });
    await writer.write(["a", "b", "c"]);
    await writer.flush();
    time.set(2_000);
    await writer.close();
    expect(heartbeats).toEqual([{ layout: "4" }, { layout: "4" }, { layout: "4", end: "1" }]);
  });

  it("records what Redis accepted: at first, then at most once a heartbeat, and at the end", async () => {
    const records: ProducerRecord[] = [];
    const { writer, time } = open({
      record: (record) => {
        records.push(record);
        return Promise.resolve();
      },
    });
    await writer.flush();
    expect(records).toEqual([{ next: 0, publishedAtMs: 1_000, since: 1_000, ended: false }]);
    await writer.write(["a", "b", "c", "d"]);
    time.set(1_500);
    await writer.write(["e", "f"]);
    expect(records).toHaveLength(1);
    time.set(2_600);
    await writer.flush();
    expect(records.slice(1)).toEqual([{ next: 6, publishedAtMs: 2_600, since: 1_000, ended: false }]);
    await writer.write(["g"]);
    time.set(2_605);
    await writer.flush();
    await writer.close();
    expect(records.slice(2)).toEqual([{ next: 7, publishedAtMs: 2_605, since: 1_000, ended: true }]);
  });

  it("does not record an end that was not sent", async () => {
    const ended: boolean[] = [];
    const { writer, time, fail } = open({
      record: (record) => {
        ended.push(record.ended);
        return Promise.resolve();
      },
    });
    await writer.write(["a"]);
    fail(new Error("no permission"));
    time.set(1_010);
    await writer.close();
    expect(ended).not.toContain(true);
  });

  it("fails the task at once, and the next call, and reports how many rows were not sent", async () => {
    const { writer, time, fail, failures } = open();
    await writer.write(["a"]);
    fail(new Error("no permission"));
    time.set(1_010);
    await turn();
    expect(failures).toEqual([new Error("no permission")]);
    await expect(writer.write(["b"])).rejects.toThrow("no permission");
    await expect(writer.flush()).rejects.toThrow("no permission");
    await writer.close();
    expect(writer.stats().unsent).toBe(2);
  });

  it("never goes back in publish time when the clock does", async () => {
    const { writer, sent, time } = open();
    await writer.write(["a", "b", "c"]);
    time.stepWall(-500);
    await writer.write(["d", "e", "f"]);
    expect(sent.map(([, , at]) => at)).toEqual([1_000, 1_000, 1_000]);
  });

  it.each([-3_600_000, 3_600_000])(
    "sends what waits, and heartbeats, at their times when the clock is set by %d ms",
    async (byMs) => {
      const { writer, sent, time } = open();
      await writer.write(["a"]);
      time.stepWall(byMs);
      await turn();
      expect(sent).toHaveLength(1);
      const from = time.now();
      time.set(from + 10);
      await turn();
      expect(sent.slice(1)).toEqual([[0, ["a"], from + 10]]);
      time.stepWall(byMs);
      const after = time.now();
      time.set(after + 999);
      await turn();
      expect(sent).toHaveLength(2);
      time.set(after + 1_000);
      await turn();
      expect(sent.slice(2)).toEqual([[1, [], after + 1_000]]);
    },
  );

  it("numbers every row once, in order, whatever the writes", async () => {
    const rows = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(rows, fc.nat(30)), { maxLength: 10 }), async (writes) => {
        const { writer, sent, time } = open();
        for (const [batch, pauseMs] of writes) {
          await writer.write(batch);
          time.set(time.now() + pauseMs);
        }
        await writer.flush();
        await writer.close();
        expect(sent.flatMap(([, frame]) => frame)).toEqual(writes.flatMap(([batch]) => batch));
        let next = 0;
        for (const [first, frame] of sent) {
          expect(first).toBe(next);
          next += frame.length;
        }
      }),
    );
  });
});

describe("a row that no frame can carry", () => {
  it.each([
    ["waits for others", ["good", "bad\n"]],
    ["fills a frame", ["good", "good", "bad\n"]],
    ["comes after a full frame", ["a", "b", "c", "bad\n"]],
  ])("is refused when it is written: one that %s", async (_, rows) => {
    const { writer, sent, time } = open();
    await writer.write(["before"]);
    await expect(writer.write(rows)).rejects.toThrow("line feed");
    // Neither lingering nor heartbeats have anything left to do.
    time.set(1_010);
    time.set(5_000);
    await turn();
    await expect(writer.flush()).rejects.toThrow("line feed");
    await expect(writer.write(["after"])).rejects.toThrow("line feed");
    await writer.close();
    expect(sent.map(([, lines]) => lines)).toEqual([[]]);
  });

  it("is a heartbeat that cannot be written, too: the next write reports it", async () => {
    const { writer, time } = open();
    await writer.flush();
    time.set(9e15);
    await expect(writer.write(["a"])).rejects.toThrow(FrameEncodeError);
  });
});

it("gives up rows that were not flushed when it is closed, and does not announce its end", async () => {
  const { writer, sent, heartbeats } = open();
  await writer.write(["a"]);
  await writer.close();
  expect(sent).toEqual([[0, [], 1_000]]);
  expect(heartbeats).toEqual([undefined]);
  expect(writer.stats().unsent).toBe(1);
});
