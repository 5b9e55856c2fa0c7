import { Dataflow, MemoryStore } from "@millrace/dataflow";
import type { KeyedStateOptions, Logger, Source } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { count, systemTime } from "@millrace/windowing";
import type { Fold } from "@millrace/windowing";
import { SECOND } from "./counting-flow.ts";

/** A version of a flow: what it does with an input. */
export type Build = (flow: Dataflow, source: Source<number>, rows: TestingSink<unknown>) => void;

export const TASK = { flow: "deployed", part: "testing" };

/** A store and an input that outlive the versions of a flow. */
export class Deployments {
  readonly store = new MemoryStore();
  readonly source = new TestingSource<number>();
  readonly logged: string[] = [];
  readonly #logger: Logger = {
    debug: () => undefined,
    info: (_, message) => void this.logged.push(message),
    warn: () => undefined,
    error: () => undefined,
  };

  flow(build: Build, rows = new TestingSink<unknown>()): Dataflow {
    const flow = new Dataflow(TASK.flow);
    build(flow, this.source, rows);
    return flow;
  }

  /** Runs a version over further events, and stops it. @returns its rows */
  async run(
    build: Build,
    events: readonly number[],
    options: { readonly dropState?: readonly string[] } = {},
  ): Promise<readonly unknown[]> {
    this.logged.length = 0;
    const rows = new TestingSink<unknown>();
    const logger = this.#logger;
    const driver = await FlowDriver.start(this.flow(build, rows), { store: this.store, logger, ...options });
    if (events.length > 0) this.source.push(events);
    await driver.settle();
    await driver.stop();
    return rows.rows;
  }

  /** The stored groups, by name. */
  async groups(): Promise<Readonly<Record<string, unknown>>> {
    const state = await (await this.store.acquire(TASK)).load();
    return Object.fromEntries(
      [...(state?.groups ?? [])].map(([name, fields]) => [name, Object.fromEntries(fields)]),
    );
  }
}

/** Keeps a state for the even and one for the odd events, and passes it on with each. */
export function byParity<S>(
  id: string,
  initial: () => S,
  next: (state: S, n: number) => S,
  options: KeyedStateOptions<S> = {},
): Build {
  const step = (state: S, n: number): [S, S] => {
    const changed = next(state, n);
    return [changed, changed];
  };
  return (flow, source, rows) => {
    flow
      .input("in", source)
      .keyBy("key", (n) => (n % 2 === 0 ? "even" : "odd"))
      .statefulMap(id, initial, step, options)
      .output("out", rows);
  };
}

export function total(id = "total", options: KeyedStateOptions<number> = {}): Build {
  return byParity(
    id,
    () => 0,
    (sum, n) => sum + n,
    options,
  );
}

interface Sum {
  readonly sum: number;
  readonly events: number;
}

/** The next version of `total`, which also counts. */
export function summed(options: KeyedStateOptions<Sum> = {}): Build {
  return byParity(
    "total",
    (): Sum => ({ sum: 0, events: 0 }),
    ({ sum, events }, n) => ({ sum: sum + n, events: events + 1 }),
    { version: 2, ...options },
  );
}

export function windowed(
  id: string,
  formerly: readonly string[] = [],
  fold: Fold<number, unknown, number> = count(),
): Build {
  return (flow, source, rows) => {
    flow
      .input("in", source)
      .keyBy("key", () => "all")
      .window(id, SECOND, systemTime(), { formerly })
      .fold("n", fold)
      .map(({ value }) => value)
      .output("out", rows);
  };
}

export function refusing(): never {
  throw new Error("no such field");
}
