import { expect, test } from "@jest/globals";
import * as windowing from "@millrace/windowing";
import { eventTime, tumbling, type JsonCodec } from "@millrace/windowing";
import { WindowedStream, type WindowResults } from "../src/index.ts";
import { collectRows } from "./collect-rows.ts";

interface Hit {
  readonly site: string;
  readonly at: number;
  readonly page: string;
  readonly ms: number;
  readonly day: Date;
}

const DAY = new Date("2026-03-29T00:00Z");

const HITS: readonly Hit[] = ["/a", "/b", "/a", "/c"].map((page, index) => ({
  site: "s",
  at: index,
  page,
  ms: index * 100,
  day: DAY,
}));

const dates: JsonCodec<Date> = {
  snapshot: (date) => date.getTime(),
  restore: (json) => new Date(Number(json)),
};

/** Runs a fold of one window, and gives the rows' values. */
function runs<R>(fold: (windows: WindowedStream<Hit>) => WindowResults<Hit, R>): () => Promise<readonly R[]> {
  return async () => {
    const { rows } = await collectRows(HITS, (hits) =>
      fold(hits.keyBy("site").window("w", tumbling("1s"), eventTime("at", { wait: 0 }))).map(
        ({ value }) => value,
      ),
    );
    return rows;
  };
}

const CASES: readonly (readonly [name: string, run: () => Promise<readonly unknown[]>, value: unknown])[] = [
  ["approxDistinct", runs((windows) => windows.approxDistinct(({ page }) => page, { error: 0.01 })), 3],
  ["approxDistinct", runs((windows) => windows.approxDistinct("named", ({ page }) => page)), 3],
  ["quantile", runs((windows) => windows.quantile(({ ms }) => ms, 1)), 300],
  [
    "quantile",
    runs((windows) => windows.quantile("named", ({ ms }) => ms, [0, 1], { error: 0.001 })),
    [0, 300],
  ],
  ["topK", runs((windows) => windows.topK(({ page }) => page, 1)), [{ value: "/a", count: 2, error: 0 }]],
  [
    "topK",
    runs((windows) => windows.topK("named", ({ ms }) => ms, 1, { max: 9 })),
    [{ value: 0, count: 1, error: 0 }],
  ],
  ["collectList", runs((windows) => windows.collectList(({ page }) => page)), ["/a", "/b", "/a", "/c"]],
  ["collectList", runs((windows) => windows.collectList("named", ({ ms }) => ms, { max: 2 })), [0, 100]],
  ["collectList", runs((windows) => windows.collectList(({ day }) => day, { codec: dates, max: 1 })), [DAY]],
  ["collectSet", runs((windows) => windows.collectSet(({ page }) => page)), ["/a", "/b", "/c"]],
  ["collectSet", runs((windows) => windows.collectSet("named", ({ page }) => page, { max: 1 })), ["/a"]],
  [
    "collectMap",
    runs((windows) => windows.collectMap(({ page, ms }) => [page, ms])),
    { "/a": 200, "/b": 100, "/c": 300 },
  ],
  [
    "collectMap",
    runs((windows) => windows.collectMap("named", ({ day }) => ["day", day], { codec: dates })),
    { day: DAY },
  ],
];

test.each(CASES)("%s is a method of windows, %#", async (_, run, value) => {
  expect(await run()).toEqual([value]);
});

test("every fold is a method", () => {
  // `foldOf` is one of your own, for `fold`.
  const folds = Object.entries(windowing).flatMap(([name, exported]) =>
    typeof exported === "function" && isFold(exported) ? [name] : [],
  );
  expect(folds.length).toBeGreaterThan(10);
  const methods = Object.getOwnPropertyNames(WindowedStream.prototype);
  expect(folds.filter((name) => !methods.includes(name))).toEqual([]);
});

/** Whether a function makes a fold. */
function isFold(make: unknown): boolean {
  const getter = (): undefined => undefined;
  for (const second of [undefined, getter, 0.5, 1]) {
    for (const first of [getter, { count: windowing.count() }, { sides: { a: getter } }]) {
      try {
        const made: unknown = (make as (...given: unknown[]) => unknown)(first, second);
        if (typeof made === "object" && made !== null && "merge" in made) return true;
      } catch {
        // It takes something else.
      }
    }
  }
  return false;
}
