import { describe, expect, test } from "@jest/globals";
import { resultOf } from "./fake-run.ts";
import { observed } from "./support.ts";

describe("windows of a monitor", () => {
  test("have the newest row of each key, and the sums over all rows", () => {
    const { monitor, emit } = observed();
    emit(
      resultOf("x", { n: 1, of: 10, name: "a" }),
      resultOf("y", { n: 5, of: 20 }),
      resultOf("z", { n: 3 }),
    );
    emit(resultOf("x", { n: 4, of: 11 }, { revision: 1, cause: "late", previous: { n: 1, of: 10 } }));
    const [window] = monitor.windows({ rows: 2 }).windows;
    expect(window).toMatchObject({
      id: "per-minute@0-60000",
      status: "revised",
      cause: "late",
      revision: 1,
      keys: 3,
      measures: ["n", "of"],
      totals: { n: 12, of: 31 },
      rest: { rows: 1, totals: { n: 3, of: 0 } },
      rowsKept: true,
      updatedAt: 10_000,
    });
    expect(window?.top.map(({ key, numbers }) => [key, numbers])).toEqual([
      ["y", { n: 5, of: 20 }],
      ["x", { n: 4, of: 11 }],
    ]);
  });

  test("are those that are open, too", () => {
    const { monitor, run, emit } = observed();
    const window = { id: 1, open: 60_000, close: 120_000, mergedIds: [] };
    run.open = [
      { part: "a", step: "per-minute", window, key: undefined, keys: 3 },
      { part: "b", step: "per-minute", window, key: undefined, keys: 4 },
    ];
    emit(resultOf("x", 1));
    expect(monitor.windows().windows).toMatchObject([
      { id: "per-minute@60000-120000", status: "filling", cause: null, openIn: ["a", "b"], keys: 7, top: [] },
      {
        id: "per-minute@0-60000",
        status: "final",
        cause: "watermark",
        openIn: [],
        keys: 1,
        totals: { value: 1 },
      },
    ]);
  });

  test("are incomplete if some partition misses events", () => {
    const { monitor, emit } = observed();
    emit(
      resultOf("x", 1, { complete: { atLeast: 1, atMost: 2 } }),
      resultOf("x", 1, { part: "b", complete: { atLeast: 2, atMost: 2 } }),
      resultOf("x", 1, { part: "c", complete: "unknown" }),
    );
    const [window] = monitor.windows().windows;
    expect(window).toMatchObject({ status: "incomplete", complete: { atLeast: 3, atMost: 4 }, keys: 3 });
  });

  test("are filling while their rows are early", () => {
    const { monitor, emit } = observed();
    emit(resultOf("x", 1, { cause: "early", complete: "unknown" }));
    expect(monitor.windows().windows).toMatchObject([{ status: "filling", complete: "unknown" }]);
  });

  test("are found by step, id and key", () => {
    const { monitor, emit } = observed();
    emit(resultOf("x", 1), resultOf("y", 2), resultOf("y", 3, { open: 60_000 }));
    expect(monitor.windows({ step: "other" }).windows).toEqual([]);
    expect(monitor.windows({ window: "per-minute@0-60000" }).windows).toHaveLength(1);
    expect(monitor.windows({ limit: 1 }).windows).toMatchObject([{ open: 60_000 }]);
    const rowsOf = (key: string): unknown =>
      monitor.windows({ key }).windows.map(({ open, top }) => [open, top.map(({ value }) => value)]);
    expect(rowsOf("y")).toEqual([
      [60_000, [3]],
      [0, [2]],
    ]);
    expect(rowsOf("x")).toEqual([[0, [1]]]);
  });

  test("lose the rows of sessions that another one has absorbed", () => {
    const { monitor, emit } = observed();
    const session = (id: string, open: number, close: number) => ({
      window: { id, open, close, mergedIds: [] },
    });
    emit(resultOf("x", 1, session("s1", 0, 5)), resultOf("x", 2, session("s2", 9, 9)));
    emit(resultOf("x", 4, { ...session("s3", 0, 9), replaces: ["s1", "s2"] }));
    expect(monitor.windows().windows).toMatchObject([{ open: 0, close: 9, totals: { value: 4 } }]);
  });

  test("keep large results as null, with their numbers", () => {
    const { monitor, emit } = observed();
    const circle: Record<string, unknown> = { n: 2 };
    circle["self"] = circle;
    emit(
      resultOf("x", { n: 3, text: "x".repeat(10_000) }),
      resultOf("y", circle),
      resultOf("z", { n: 1, big: 1n, nan: Number.NaN }),
      resultOf("w", { n: 0, list: [1, { a: null }] }),
    );
    const [window] = monitor.windows().windows;
    expect(window?.top.map(({ value, numbers }) => [value, numbers])).toEqual([
      [null, { n: 3 }],
      [null, { n: 2 }],
      [null, { n: 1 }],
      [{ n: 0, list: [1, { a: null }] }, { n: 0 }],
    ]);
  });

  test("are 200 at most; the step with the most loses its oldest", () => {
    const { monitor, emit, time } = observed();
    const hour = { id: 0, open: 0, close: 3_600_000, mergedIds: [] };
    monitor.resultsEmitted({
      part: "a",
      step: "per-hour",
      at: time.now(),
      results: [resultOf("x", 1, { window: hour })],
    });
    emit(...Array.from({ length: 300 }, (_, minute) => resultOf("x", 1, { open: minute * 60_000 })));
    const { windows } = monitor.windows({ limit: 200 });
    expect(windows).toHaveLength(200);
    expect(windows.filter(({ step }) => step === "per-hour")).toHaveLength(1);
    expect(windows[0]?.open).toBe(299 * 60_000);
  });

  test("hold 50,000 rows: of the oldest only the highest and the sums are left, and stay right", () => {
    const { monitor, emit } = observed();
    const keys = 30_000;
    const page = (open: number) => Array.from({ length: keys }, (_, i) => resultOf(`k${i}`, i, { open }));
    emit(...page(0));
    emit(...page(60_000));
    const sum = (keys * (keys - 1)) / 2;
    const late = { revision: 1, cause: "late" as const };
    emit(
      resultOf("k5", 105, { ...late, previous: 5 }),
      resultOf("k29999", 30_000, { ...late, previous: 29_999 }),
    );
    emit(resultOf("new", 40_000));
    const [newer, older] = monitor.windows({ rows: 10_000 }).windows;
    expect(newer).toMatchObject({ rowsKept: true, keys, totals: { value: sum } });
    expect(older).toMatchObject({
      rowsKept: false,
      keys: keys + 1,
      totals: { value: sum + 100 + 1 + 40_000 },
    });
    expect(older?.top.slice(0, 3).map(({ key, value }) => [key, value])).toEqual([
      ["new", 40_000],
      ["k29999", 30_000],
      ["k29998", 29_998],
    ]);
    expect(older?.top).toHaveLength(100);
    expect(older?.rest.rows).toBe(keys + 1 - 100);
  });

  test("are reported once when they change, and when they are gone", () => {
    const { monitor, run, emit } = observed();
    const shown = new Map<string, string>();
    const changes = () => {
      const { windows, removed } = monitor.windowChanges(shown);
      return [windows.map(({ open }) => open), removed];
    };
    emit(resultOf("x", 1));
    const window = { id: "s", open: 3, close: 4, mergedIds: [] };
    run.open = [{ part: "a", step: "sessions", window, key: "x", keys: 1 }];
    expect(changes()).toEqual([[0, 3], []]);
    expect(changes()).toEqual([[], []]);
    run.open = [];
    emit(resultOf("y", 1));
    expect(changes()).toEqual([[0], ["sessions@3-4"]]);
  });
});
