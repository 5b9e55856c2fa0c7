import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Temporal } from "temporal-polyfill/implementation";

import { count, createWindowEngine, eventTime, tumbling } from "../src/index.ts";
import { batch, event, type TestEvent } from "./support/events.ts";
import { runSnippet } from "./support/run-snippet.ts";

const DAY = 86_400_000;

/** Dates that were converted to instants. */
let conversions = 0;

const holder = globalThis as { Temporal?: unknown };

// A runtime's own calendar, which counts what it is asked.
beforeEach(() => {
  const counting = (date: Temporal.PlainDate): unknown => ({
    add: (step: Temporal.DurationLike) => counting(date.add(step)),
    toZonedDateTime(timeZone: string) {
      conversions++;
      return date.toZonedDateTime(timeZone);
    },
  });
  holder.Temporal = { PlainDate: { from: (text: string) => counting(Temporal.PlainDate.from(text)) } };
});

afterEach(() => {
  delete holder.Temporal;
});

test.each([0, DAY])(
  "the runtime's own calendar is asked once for each window, not for each event (lateness %d)",
  (allowedLateness) => {
    const start = Date.parse("2026-01-01T00:00+01:00");
    const events = Array.from({ length: 20_000 }, (_, index) =>
      event(start + (index % 4) * 10 * DAY + index),
    );
    const windower = tumbling("1d", { timeZone: "Europe/Berlin" });
    const engine = createWindowEngine({
      windower,
      clock: eventTime((each: TestEvent) => each.ts, { wait: "unbounded", maxFuture: "unbounded" }),
      fold: count(),
      allowedLateness,
    });
    conversions = 0;
    engine.process(batch(...events), 0);
    expect(engine.finish("end").results.map(({ value }) => value)).toEqual([5_000, 5_000, 5_000, 5_000]);
    // The two bounds of each, and where the day before opens, since the first guess is by UTC.
    expect(conversions).toBe(12);
  },
);

test("plain Node loads the polyfill for the first calendar, and not before", () => {
  const code = `
    import { createRequire } from "node:module";
    import { tumbling } from "@millrace/windowing";

    const { cache } = createRequire(import.meta.url);
    const isLoaded = () => Object.keys(cache).some((file) => file.includes("temporal-polyfill"));
    tumbling("1d");
    const before = isLoaded();
    const { open } = tumbling("1d", { timeZone: "Europe/Berlin" }).windowOf(20541);
    console.log(JSON.stringify([before, isLoaded() || "Temporal" in globalThis, open]));`;
  const open = Date.parse("2026-03-29T00:00+01:00");
  expect(JSON.parse(runSnippet(code))).toEqual([false, true, open]);
});
