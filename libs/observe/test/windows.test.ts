import { describe, expect, test } from "@jest/globals";
import { resultOf, taskOf } from "./fake-run.ts";
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
    expect(monitor.windows({ key: "x" }).windows).toMatchObject([
      { keys: 2, totals: { value: 3 }, rest: { rows: 1, totals: { value: 2 } } },
    ]);
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
    expect(newer).toMatchObject({ rowsKept: true, exact: true, keys, totals: { value: sum } });
    expect(older).toMatchObject({
      rowsKept: false,
      // The row of k5 before this one may be of an earlier process.
      exact: false,
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

  describe("whose rows were dropped", () => {
    /** The window [0, 60 s) has k0 to k29999, each with its number, and keeps the highest 100. */
    const dropped = () => {
      const given = observed();
      const page = (open: number) => Array.from({ length: 30_000 }, (_, i) => resultOf(`k${i}`, i, { open }));
      given.emit(...page(0));
      given.emit(...page(60_000));
      const older = () => given.monitor.windows({ window: "per-minute@0-60000", rows: 1 }).windows[0];
      return { ...given, older, sum: (30_000 * 29_999) / 2 };
    };

    test("count a row once that comes in place of one that is kept", () => {
      const { emit, older, sum } = dropped();
      emit(resultOf("k29998", 29_998));
      emit(resultOf("k29999", 30_000, { cause: "match" }));
      emit(resultOf("k29997", 29_998, { revision: 3, cause: "late" }));
      emit(resultOf("new", 40_000));
      const totals = { value: sum + 1 + 1 + 40_000 };
      expect(older()).toMatchObject({ keys: 30_001, totals, exact: true });
    });

    test("are not exact after a match or a revision of a row that is not kept", () => {
      const match = dropped();
      match.emit(resultOf("k5", 6, { cause: "match" }));
      expect(match.older()).toMatchObject({ rowsKept: false, exact: false });
      const revision = dropped();
      revision.emit(resultOf("k5", 6, { cause: "late", revision: 1, previous: 5 }));
      expect(revision.older()).toMatchObject({
        exact: false,
        keys: 30_000,
        totals: { value: revision.sum + 1 },
      });
    });

    test("are not exact after one of their rows may have been replaced by a longer session's", () => {
      const { emit, older } = dropped();
      const window = { id: "s", open: 0, close: 70_000, mergedIds: [] };
      emit(resultOf("k5", 6, { window, replaces: [0] }));
      expect(older()).toMatchObject({ exact: false });
    });

    test("are not exact in a run whose store was rolled back: rows may have come twice", () => {
      const { run, older } = dropped();
      expect(older()).toMatchObject({ exact: true });
      run.tasks = [taskOf("a", { reloads: 1 })];
      expect(older()).toMatchObject({ exact: false });
    });
  });

  test("show 20 numbers, also if the names of fields depend on the data", () => {
    const { monitor, emit } = observed();
    emit(...Array.from({ length: 1_000 }, (_, i) => resultOf(`k${i}`, { [`user-${i}`]: 1 })));
    const [window] = monitor.windows({ rows: 1_000 }).windows;
    expect(window?.measures).toHaveLength(20);
    expect(Object.keys(window?.totals ?? {})).toEqual(window?.measures);
    expect(Object.keys(window?.rest.totals ?? {})).toEqual(window?.measures);
    const named = window?.top.flatMap(({ numbers }) => Object.keys(numbers)) ?? [];
    expect(new Set(named).size).toBe(20);
  });

  test("hold 32 MiB of rows, with the names of their numbers", () => {
    const { monitor, emit } = observed();
    const names = Array.from({ length: 20 }, (_, i) => `${"n".repeat(90)}${i}`);
    const value = Object.fromEntries(names.map((name) => [name, 1]));
    for (const open of [0, 60_000])
      emit(...Array.from({ length: 6_000 }, (_, i) => resultOf(`k${i}`, value, { open })));
    expect(monitor.windows().windows).toMatchObject([{ rowsKept: true }, { rowsKept: false, keys: 6_000 }]);
  });

  test("hold 32 MiB of rows, with keys of any length: the oldest windows lose even the highest rows", () => {
    const { monitor, emit } = observed();
    const long = "k".repeat(100_000);
    for (let minute = 0; minute < 150; minute += 1)
      emit(resultOf(`${minute} ${long}`, 1, { open: minute * 60_000 }));
    const { windows } = monitor.windows({ limit: 200 });
    expect(windows).toHaveLength(150);
    // A key is kept twice, with two bytes for each character.
    expect(windows.filter(({ top }) => top.length > 0)).toHaveLength(Math.floor((32 * 2 ** 20) / 400_220));
    expect(windows[0]).toMatchObject({ keys: 1, totals: { value: 1 }, rowsKept: true });
    expect(windows.at(-1)).toMatchObject({
      keys: 1,
      totals: { value: 1 },
      rowsKept: false,
      exact: true,
      top: [],
    });
  });

  test("are looked at less often where a look at the open ones is expensive: 1 % of the time, and always at the end", () => {
    const { monitor, run, time } = observed();
    let looks = 0;
    const shown = new Map<string, string>();
    const everyQuarter = (count: number) => {
      looks = 0;
      for (let i = 0; i < count; i += 1) {
        time.set(time.now() + 250);
        monitor.windowChanges(shown);
      }
      return looks;
    };
    let tookMs = 0;
    run.openWindows = () => {
      looks += 1;
      time.set(time.now() + tookMs);
      return run.open;
    };
    expect(everyQuarter(40)).toBe(40);
    tookMs = 30;
    expect(everyQuarter(40)).toBeLessThanOrEqual(4);
    run.tasks = [taskOf("a", { phase: "ended" })];
    expect(everyQuarter(4)).toBe(4);
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
