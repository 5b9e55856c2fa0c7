import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { MemoryStore } from "@millrace/dataflow";
import { MemoryLeaseTable, TestingSource } from "@millrace/dataflow/testing";
import { listed } from "./support/listing-flow.ts";
import { SimulatedWorker } from "./support/simulated-worker.ts";
import type { Shared } from "./support/simulated-worker.ts";

const PARTS = ["0", "1", "2", "3", "4"];
const LEASE_MS = 2_000;
const STEP_MS = 100;
/** Until when every part must have an owner again: a lease, a heartbeat to get it, and a pause after a task was fenced. */
const BOUND_MS = 2 * LEASE_MS;

type Step =
  | { readonly kind: "join"; readonly startAt: number; readonly rate: number }
  | { readonly kind: "leave" | "crash" | "stall" | "wake"; readonly worker: number }
  | { readonly kind: "push"; readonly part: string; readonly events: number }
  | { readonly kind: "pass"; readonly ms: number };

/** Workers over one store and one table, in virtual time. */
class Simulation {
  readonly #workers: SimulatedWorker[] = [];
  readonly #pushed = new Map<string, number[]>();
  readonly #fences = new Map<string, number>();
  readonly #shared: Shared;
  #now = 0;
  #next = 0;

  constructor() {
    const table = new MemoryLeaseTable(PARTS, () => this.#now);
    this.#shared = {
      source: new TestingSource<number>({ parts: PARTS }),
      store: new MemoryStore(),
      table,
      leaseMs: LEASE_MS,
      committed: (part, fence) => {
        // Once a commit of a newer owner is taken, none of an older one is.
        expect(fence).toBeGreaterThanOrEqual(this.#fences.get(part) ?? 0);
        this.#fences.set(part, fence);
      },
    };
  }

  async do(step: Step): Promise<void> {
    switch (step.kind) {
      case "join":
        if (this.#live.length < 5) this.#workers.push(new SimulatedWorker(this.#shared, step));
        break;
      case "push":
        this.#push(step.part, step.events);
        break;
      case "pass":
        await this.pass(step.ms);
        break;
      default: {
        const live = this.#live;
        const worker = live[step.worker % live.length];
        if (step.kind === "leave") worker?.leave();
        else if (step.kind === "wake") worker?.wake();
        else worker?.stall();
        if (step.kind === "crash" && worker !== undefined) worker.dead = true;
      }
    }
    await turns();
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.#now += STEP_MS;
      for (const worker of this.#live) worker.pass(STEP_MS);
      await turns();
    }
  }

  /** All wake, and within the bound each part is with one worker, which has listed everything once. */
  async settle(): Promise<void> {
    for (const worker of this.#live) worker.wake();
    await this.do({ kind: "join", startAt: 0, rate: 1 });
    await this.pass(BOUND_MS);
    const running = this.#live.flatMap(({ runs }) => runs);
    expect(running.sort()).toEqual(PARTS);
    const most = Math.ceil(PARTS.length / this.#live.length);
    for (const { runs } of this.#live) expect(runs.length).toBeLessThanOrEqual(most);
    for (const part of PARTS) this.#push(part, 1);
    await this.pass(1_000);
    for (const part of PARTS) expect(listed(this.#shared.store, part)).toEqual(this.#pushed.get(part));
  }

  /** Events that were processed without success, and tasks that were taken over from a running worker. */
  redone(): { readonly uncommitted: number; readonly dropped: number } {
    const tasks = this.#workers.flatMap((worker) => worker.stats().tasks);
    return {
      uncommitted: tasks.reduce((sum, { uncommitted }) => sum + uncommitted, 0),
      dropped: tasks.reduce((sum, { dropped }) => sum + dropped, 0),
    };
  }

  async end(): Promise<void> {
    for (const worker of this.#live) worker.leave();
    const live = this.#live.map(({ done }) => done);
    await this.pass(1_000);
    await Promise.all(live);
  }

  get #live(): readonly SimulatedWorker[] {
    return this.#workers.filter(({ live }) => live);
  }

  #push(part: string, events: number): void {
    const numbers = Array.from({ length: events }, () => (this.#next += 1));
    this.#pushed.set(part, [...(this.#pushed.get(part) ?? []), ...numbers]);
    this.#shared.source.push(numbers, { part });
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const worker = fc.nat(4);
const join = fc.record({
  kind: fc.constant("join" as const),
  startAt: fc.integer({ min: -1e9, max: 1e9 }),
  rate: fc.constantFrom(0.9, 1, 1.1),
});
const push = fc.record({
  kind: fc.constant("push" as const),
  part: fc.constantFrom(...PARTS),
  events: fc.integer({ min: 1, max: 5 }),
});
const passing = fc.record({
  kind: fc.constant("pass" as const),
  ms: fc.constantFrom(100, 300, 1_000, 2_500),
});
const leave = fc.record({ kind: fc.constant("leave" as const), worker });
const trouble = fc.record({
  kind: fc.constantFrom("crash" as const, "stall" as const, "stall" as const, "wake" as const),
  worker,
});

async function play(steps: readonly Step[]): Promise<Simulation> {
  const simulation = new Simulation();
  for (const step of steps) await simulation.do(step);
  await simulation.settle();
  await simulation.end();
  return simulation;
}

describe("workers that share tasks by leases", () => {
  test("list every event once, and have every part within the bound, whatever happens to them", async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 2, arbitrary: join },
        { weight: 6, arbitrary: push },
        { weight: 4, arbitrary: passing },
        leave,
        { weight: 4, arbitrary: trouble },
      ),
      { minLength: 5, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        await play(given);
      }),
      { numRuns: 12 },
    );
  });

  test("do nothing twice while none crashes or stalls: a task is finished before another worker opens it", async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 2, arbitrary: join },
        { weight: 4, arbitrary: push },
        { weight: 4, arbitrary: passing },
        leave,
      ),
      { minLength: 5, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        expect((await play(given)).redone()).toEqual({ uncommitted: 0, dropped: 0 });
      }),
      { numRuns: 6 },
    );
  });
});
