import { at } from "../at.ts";
import { eventTime } from "../clock.ts";
import { createWindowEngine } from "../create-window-engine.ts";
import type { CustomWindow } from "../custom-windower.ts";
import { count } from "../folds/count-and-sum.ts";
import type { Json } from "../json.ts";
import type { StateChange, StateGroup, WindowEngine } from "../window-engine.ts";
import type { WindowResult } from "../window-output.ts";
import type { SessionWindower, Windower } from "../windower.ts";

/** A windower whose windows depend on an event's time alone. */
type AssigningWindower = Exclude<Windower, SessionWindower>;

/** One requirement of a windower. Any test runner can run it: `for (const { name, run } of demands) test(name, run)`. */
export interface WindowerDemand {
  readonly name: string;
  /** Throws if the requirement is not met. */
  readonly run: () => void;
}

/** Properties of a windower that the suite needs. */
export interface WindowerHarness {
  /** Builds the windower, each time with the same description. */
  readonly build: () => AssigningWindower;
  /** Timestamps (ms since the epoch) to try, at least one. Include special times, such as a change of the clocks. */
  readonly timestamps: readonly number[];
}

/** What every windower but that of sessions must do: each `CustomWindower`, and those of this library. */
export function windowerConformance({ build, timestamps }: WindowerHarness): readonly WindowerDemand[] {
  return [
    {
      name: "says what its windows depend on, always the same",
      run() {
        const { description } = build();
        demand(typeof description === "string" && description.trim() !== "", "there is no description");
        demand(build().description === description, "two that are built alike have different descriptions");
      },
    },
    {
      name: "gives each timestamp windows that hold it, in whole ms",
      run() {
        const windower = build();
        for (const timestamp of timestamps) {
          const windows = assigned(windower, timestamp);
          demand(windows.length > 0, `${String(timestamp)} has no window`);
          for (const window of windows) {
            const { open, close } = window;
            demand(
              open <= timestamp && timestamp < close,
              `${print(window)} does not hold ${String(timestamp)}`,
            );
            const whole = Number.isSafeInteger(open) && Number.isSafeInteger(close);
            demand(whole, `${print(window)} does not open and close at whole ms`);
          }
        }
      },
    },
    {
      name: "gives the same windows every time, whatever was asked before",
      run() {
        const [first, second] = [build(), build()];
        const forwards = timestamps.map((timestamp) => print(assigned(first, timestamp)));
        const backwards = [...timestamps].reverse().map((timestamp) => print(assigned(second, timestamp)));
        backwards.reverse().forEach((windows, index) => {
          const before = at(forwards, index);
          const what = `${String(timestamps[index])} has ${before} and, asked in another order, ${windows}`;
          demand(windows === before, what);
        });
      },
    },
    {
      name: "gives each of a window's timestamps that window, from its open to before its close",
      run() {
        const windower = build();
        for (const window of windowsOf(windower, timestamps)) {
          const holds = (timestamp: number): boolean =>
            assigned(windower, timestamp).some((other) => print(other) === print(window));
          demand(holds(window.open), `${print(window)} is not given to the time of its open`);
          demand(holds(window.close - 1), `${print(window)} is not given to the last ms before its close`);
          const middle = Math.floor((window.open + window.close) / 2);
          demand(holds(middle), `${print(window)} is not given to ${String(middle)}, which lies in it`);
          demand(!holds(window.close), `${print(window)} is given to the time of its close`);
        }
      },
    },
    {
      name: "gives no id to two windows, and whole numbers as ids",
      run() {
        const byId = new Map<number, string>();
        for (const window of windowsOf(build(), timestamps)) {
          const { id } = window;
          demand(Number.isSafeInteger(id), `${print(window)}: an id is a whole number`);
          const other = byId.get(id);
          demand(other === undefined, `${print(window)} has the id of ${other ?? ""}`);
          byId.set(id, print(window));
        }
      },
    },
    {
      name: "is exclusive, if it says so",
      run() {
        const windower = build();
        if (windower.exclusive !== true) return;
        for (const timestamp of timestamps) {
          demand(assigned(windower, timestamp).length === 1, `${String(timestamp)} has more than one window`);
        }
        let before: CustomWindow | undefined;
        for (const window of windowsOf(windower, timestamps)) {
          const apart = before === undefined || before.close <= window.open;
          demand(apart, `${print(window)} overlaps ${print(before)}`);
          before = window;
        }
      },
    },
    {
      name: "counts each event in each of its windows, wherever the state is kept and taken up",
      run() {
        const expected = new Map<string, number>();
        const windower = build();
        for (const window of timestamps.flatMap((timestamp) => assigned(windower, timestamp))) {
          expected.set(print(window), (expected.get(print(window)) ?? 0) + 1);
        }
        const results = countAll(build, timestamps);
        for (const { window, value } of results) {
          const name = print(window);
          const right = expected.get(name);
          demand(right === value, `${name} counts ${String(value)} events instead of ${String(right ?? 0)}`);
          expected.delete(name);
        }
        demand(expected.size === 0, `no rows came of ${[...expected.keys()].join(", ")}`);
        const closes = results.map(({ window: { close } }) => close);
        demand(
          print(closes) === print([...closes].sort((a, b) => a - b)),
          "windows are not in order of their close",
        );
      },
    },
  ];
}

function assigned(windower: AssigningWindower, timestamp: number): readonly CustomWindow[] {
  return windower.kind === "custom" ? windower.assign(timestamp) : windower.windowsAt(timestamp);
}

/** The windows of all timestamps, each once, in order of their open. */
function windowsOf(windower: AssigningWindower, timestamps: readonly number[]): readonly CustomWindow[] {
  const all = timestamps.flatMap((timestamp) => assigned(windower, timestamp));
  const unique = new Map(all.map((window) => [print(window), window]));
  return [...unique.values()].sort((a, b) => a.open - b.open || a.close - b.close);
}

/** The rows of a count: each event by another engine, restored from the state of the previous one. */
function countAll(
  build: () => AssigningWindower,
  timestamps: readonly number[],
): readonly WindowResult<number>[] {
  const clock = eventTime((timestamp: number) => timestamp, { wait: "unbounded", maxFuture: "unbounded" });
  const start = (): WindowEngine<number, number> =>
    createWindowEngine({ windower: build(), clock, fold: count() });
  const kept = new Map<string, Map<string, Json>>();
  let engine = start();
  for (const timestamp of timestamps) {
    engine.process({ keys: ["key"], values: [timestamp] }, 0);
    keep(kept, engine.snapshot());
    engine = start();
    engine.restore(
      Array.from(kept, ([group, fields]): StateGroup => [group, [...fields]]),
      0,
    );
  }
  return engine.finish("end").results;
}

function keep(kept: Map<string, Map<string, Json>>, changes: readonly StateChange[]): void {
  for (const { group, drop, put = [], delete: gone = [] } of changes) {
    if (drop === true) kept.delete(group);
    const fields = kept.get(group) ?? new Map<string, Json>();
    for (const [field, value] of put) fields.set(field, value);
    for (const field of gone) fields.delete(field);
    if (fields.size > 0) kept.set(group, fields);
    else kept.delete(group);
  }
}

function demand(met: boolean, what: string): void {
  if (!met) throw new Error(`The windower does not meet its contract: ${what}.`);
}

/** Windows as text, without further properties of their objects. */
function print(what: unknown): string {
  return JSON.stringify(what, ["id", "open", "close"]);
}
