import { describe, expect, test } from "@jest/globals";
import { LeaseAssignment, SILENT_LOGGER } from "@millrace/dataflow";
import type { LeaseTable, WorkerShare } from "@millrace/dataflow";
import { MemoryLeaseTable, VirtualTime, assignmentConformance } from "@millrace/dataflow/testing";
import type { AssignmentFixture } from "@millrace/dataflow/testing";

const LEASE_MS = 10_000;

/** Workers that share one virtual time with their table. */
function leases(): Promise<AssignmentFixture> {
  const time = new VirtualTime();
  const parts = ["0", "1", "2", "3", "4", "5", "6", "7"];
  const table = new MemoryLeaseTable(parts, () => time.now());
  const pass = async (ms: number, met: () => boolean = () => false): Promise<boolean> => {
    for (const end = time.now() + ms; ;) {
      for (let turn = 0; turn < 5; turn++) await time.yield();
      if (met()) return true;
      const alarm = time.nextAlarm ?? Infinity;
      if (alarm > end) return false;
      time.set(alarm);
    }
  };
  return Promise.resolve({
    parts,
    worker: () => ({ assignment: new LeaseAssignment(table.open, { leaseMs: LEASE_MS }), time }),
    async until(met, what) {
      expect({ what, met: await pass(1.5 * LEASE_MS, met) }).toEqual({ what, met: true });
    },
    pass: async () => {
      await pass(LEASE_MS / 2);
    },
    close: () => Promise.resolve(),
  });
}

describe("LeaseAssignment is a shared assignment", () => {
  test.each(assignmentConformance({ open: leases }))("$name", ({ run }) => run());
});

describe("LeaseAssignment", () => {
  /** One worker, and a table that can be out of reach or answer something else. */
  async function worker(): Promise<{
    readonly time: VirtualTime;
    readonly running: Set<string>;
    readonly failures: Error[];
    readonly reach: { answer: (share: Promise<WorkerShare>) => Promise<WorkerShare> };
    readonly advance: (ms: number) => Promise<void>;
  }> {
    const time = new VirtualTime();
    const table = new MemoryLeaseTable(["0", "1"], () => time.now());
    const reach = { answer: (share: Promise<WorkerShare>): Promise<WorkerShare> => share };
    const assignment = new LeaseAssignment(
      () => ({
        beat: (heartbeat) => reach.answer(table.beat(heartbeat)),
        release: (...of) => table.release(...of),
        leave: (of) => table.leave(of),
        close: () => table.close(),
      }),
      { leaseMs: LEASE_MS },
    );
    const running = new Set<string>();
    const failures: Error[] = [];
    const advance = async (ms: number): Promise<void> => {
      for (const end = time.now() + ms; time.now() < end;) {
        for (let turn = 0; turn < 5; turn++) await time.yield();
        time.set(time.now() + LEASE_MS / 20);
      }
    };
    await assignment.join(
      ["0", "1"],
      {
        assigned: (part) => running.add(part),
        revoked(part) {
          running.delete(part);
          return Promise.resolve();
        },
        lost: (part) => running.delete(part),
        failed: (error) => failures.push(error),
      },
      { flow: "suite", logger: SILENT_LOGGER, time, signal: new AbortController().signal },
    );
    await advance(LEASE_MS);
    expect(running.size).toBe(2);
    return { time, running, failures, reach, advance };
  }

  test("gives up all tasks when its lease is over by its own clock, and takes no answer that is as old", async () => {
    const { running, reach, advance } = await worker();
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    reach.answer = async (share) => {
      await answered;
      return share;
    };
    await advance(0.9 * LEASE_MS);
    expect(running.size).toBe(2);
    await advance(0.3 * LEASE_MS);
    expect(running.size).toBe(0);
    reach.answer = () => new Promise(() => undefined);
    answer();
    await advance(LEASE_MS);
    expect(running.size).toBe(0);
  });

  test("gives up at once what the table says is not its own any more", async () => {
    const { running, reach, advance } = await worker();
    reach.answer = () => Promise.resolve({ owned: ["1"], atMost: 2, formingMs: 0 });
    await advance(LEASE_MS / 10);
    expect([...running]).toEqual(["1"]);
  });

  test("fails the worker when the table refuses for good", async () => {
    const { failures, reach, advance } = await worker();
    reach.answer = () => Promise.reject(new Error("no permission"));
    await advance(LEASE_MS / 5);
    expect(failures).toEqual([new Error("no permission")]);
  });

  test.each([0, 499, Infinity, NaN])("refuses a lease of %d ms", (leaseMs) => {
    const open = (): LeaseTable => new MemoryLeaseTable([], () => 0);
    expect(() => new LeaseAssignment(open, { leaseMs })).toThrow("from 500 ms on");
  });
});
