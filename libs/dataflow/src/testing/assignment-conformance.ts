import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { AssignedTasks, Assignment, Membership } from "../contracts/assignment.ts";
import { SILENT_LOGGER } from "../contracts/logger.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import type { ConformanceCase } from "./conformance.ts";

/** A group of workers that a suite may use up. */
export interface AssignmentFixture {
  /** All partitions, at least four. */
  readonly parts: readonly string[];
  /** For one more worker, as another process opens it. */
  readonly worker: () => { readonly assignment: Assignment; readonly time: TimeProvider };
  /** Returns as soon as `met` holds; rejects if it does not hold by the time in which a crash must be noticed. */
  readonly until: (met: () => boolean, what: string) => Promise<void>;
  /** Lets some heartbeats pass, so that what must not happen could have happened. */
  readonly pass: () => Promise<void>;
  /** Removes what the fixture created. */
  readonly close: () => Promise<void>;
}

/** Properties of a shared assignment that the suite needs. */
export interface AssignmentHarness {
  /** An empty group. */
  readonly open: () => Promise<AssignmentFixture>;
}

/** A worker as far as its assignment sees it. */
class Worker implements AssignedTasks {
  readonly running = new Set<string>();
  readonly failures: Error[] = [];
  /** How many parts it was given. */
  given = 0;
  /** Parts that it does not finish before this is resolved. */
  hold: Promise<void> | undefined;
  readonly #all: readonly Worker[];
  readonly #abort = new AbortController();
  membership: Membership | undefined;

  private constructor(all: readonly Worker[]) {
    this.#all = all;
  }

  static async join({ parts, worker }: AssignmentFixture, all: Worker[]): Promise<Worker> {
    const joined = new Worker(all);
    all.push(joined);
    const { assignment, time } = worker();
    const context = { flow: "suite", logger: SILENT_LOGGER, time, signal: joined.#abort.signal };
    joined.membership = await assignment.join(parts, joined, context);
    return joined;
  }

  /** Ends without leaving. */
  crash(): void {
    this.#abort.abort(new Error("the worker crashed"));
    this.running.clear();
  }

  assigned(part: string): void {
    const elsewhere = this.#all.filter(({ running }) => running.has(part));
    strictEqual(
      elsewhere.length,
      0,
      `partition ${part} is given to a second worker before the first one has closed it`,
    );
    this.running.add(part);
    this.given += 1;
  }

  async revoked(part: string): Promise<void> {
    await this.hold;
    this.running.delete(part);
  }

  lost(part: string): void {
    this.running.delete(part);
  }

  failed(error: Error): void {
    this.failures.push(error);
  }

  async leave(): Promise<void> {
    await this.membership?.leave();
  }
}

/** What every shared {@link Assignment} must do. */
export function assignmentConformance({ open }: AssignmentHarness): readonly ConformanceCase[] {
  const using =
    (use: (fixture: AssignmentFixture, join: () => Promise<Worker>) => Promise<void>) =>
    async (): Promise<void> => {
      const fixture = await open();
      const workers: Worker[] = [];
      try {
        await use(fixture, () => Worker.join(fixture, workers));
        deepStrictEqual(
          workers.flatMap(({ failures }) => failures),
          [],
        );
      } finally {
        for (const worker of workers) worker.crash();
        await fixture.close();
      }
    };
  const total = (workers: readonly Worker[]): number =>
    workers.reduce((sum, { running }) => sum + running.size, 0);
  const even = ({ parts }: AssignmentFixture, workers: readonly Worker[]): boolean =>
    total(workers) === parts.length &&
    workers.every(({ running }) => running.size <= Math.ceil(parts.length / workers.length));

  return [
    {
      name: "gives a worker that is alone every partition",
      run: using(async (fixture, join) => {
        const alone = await join();
        await fixture.until(() => even(fixture, [alone]), "one worker with all partitions");
        strictEqual(alone.given, fixture.parts.length);
      }),
    },
    {
      name: "divides evenly when workers join, and moves no more than it must",
      run: using(async (fixture, join) => {
        const workers = [await join()];
        await fixture.until(() => even(fixture, workers), "one worker with all partitions");
        for (const count of [2, 3]) {
          const before = workers.reduce((sum, { given }) => sum + given, 0);
          workers.push(await join());
          await fixture.until(() => even(fixture, workers), `${count} workers with even shares`);
          await fixture.pass();
          const moved = workers.reduce((sum, { given }) => sum + given, 0) - before;
          ok(
            moved <= Math.ceil(fixture.parts.length / count),
            `${moved} partitions moved to worker ${count}`,
          );
        }
      }),
    },
    {
      name: "gives a partition to no other worker before the first one has finished it",
      run: using(async (fixture, join) => {
        const first = await join();
        await fixture.until(() => even(fixture, [first]), "one worker with all partitions");
        let finish: () => void = () => undefined;
        first.hold = new Promise((resolve) => (finish = resolve));
        const second = await join();
        await fixture.pass();
        deepStrictEqual([first.running.size, second.running.size], [fixture.parts.length, 0]);
        finish();
        await fixture.until(() => even(fixture, [first, second]), "two workers with even shares");
      }),
    },
    {
      name: "a worker that leaves gives up all partitions, and the others get them",
      run: using(async (fixture, join) => {
        const workers = [await join(), await join()];
        const [first, second] = workers;
        await fixture.until(() => even(fixture, workers), "two workers with even shares");
        await first?.leave();
        await first?.leave();
        strictEqual(first?.running.size, 0);
        await fixture.until(() => second?.running.size === fixture.parts.length, "the other has all");
      }),
    },
    {
      name: "a worker that crashed loses its partitions to the others",
      run: using(async (fixture, join) => {
        const workers = [await join(), await join()];
        const [first, second] = workers;
        await fixture.until(() => even(fixture, workers), "two workers with even shares");
        first?.crash();
        await fixture.until(() => second?.running.size === fixture.parts.length, "the other has all");
      }),
    },
    {
      name: "confirms what a worker has, and nothing else",
      run: using(async (fixture, join) => {
        const workers = [await join(), await join()];
        await fixture.until(() => even(fixture, workers), "two workers with even shares");
        const [first] = workers;
        for (const part of fixture.parts)
          strictEqual(await first?.membership?.confirm(part), first?.running.has(part), part);
        await first?.leave();
        strictEqual(await first?.membership?.confirm(fixture.parts[0] ?? ""), false);
      }),
    },
    {
      name: "refuses a worker with other partitions while the group has members",
      run: using(async (fixture, join) => {
        await join();
        await rejects(Worker.join({ ...fixture, parts: [...fixture.parts, "one-more"] }, []));
      }),
    },
  ];
}
