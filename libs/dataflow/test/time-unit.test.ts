import { describe, expect, test } from "@jest/globals";
import { Dataflow, reconcile } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { eventTime, tumbling, windowTime } from "@millrace/windowing";
import type { EventTimeOptions, Timestamp } from "@millrace/windowing";

const START = 1_800_000_000_000;

interface Event {
  readonly at: Timestamp;
}

/** A flow of two window steps, of which only the first reads the times of events. */
async function counting(unit?: EventTimeOptions["unit"]) {
  const source = new TestingSource<Event>();
  const out = new TestingSink<readonly [open: number, value: number]>();
  const warnings: { readonly fields: object; readonly message: string | undefined }[] = [];
  const quiet = (): void => undefined;
  const logger: Logger = {
    debug: quiet,
    info: quiet,
    error: quiet,
    warn: (fields: object, message?: string) => warnings.push({ fields, message }),
  };
  const flow = new Dataflow("units");
  flow
    .input("in", source)
    .keyBy(() => "all")
    .window("seconds", tumbling("1s"), eventTime("at", { wait: 0, ...(unit && { unit }) }))
    .count()
    .window("minutes", tumbling("1m"), windowTime())
    .reduce(
      ({ value }) => value,
      (a, b) => a + b,
    )
    .map(({ window, value }): readonly [number, number] => [window.open, value])
    .output("out", out);
  const driver = await FlowDriver.start(flow, { startAt: START, logger });
  return { driver, source, out, warnings };
}

describe("the time of events in seconds", () => {
  test("is logged once where milliseconds are expected", async () => {
    const { driver, source, warnings } = await counting();
    source.push([{ at: START / 1_000 }]);
    source.push([{ at: START / 1_000 + 1 }]);
    await driver.settle();
    expect(warnings).toMatchObject([
      { fields: { event: "time-in-seconds", step: "seconds", timestamp: START / 1_000 } },
    ]);
    expect(warnings[0]?.message).toContain(
      'Read as milliseconds that is 1970-01-21T20:00:00.000Z, as seconds 2027-01-15T08:00:00.000Z. If it is seconds, give the clock unit: "s" (--clock=event-seconds:<field>).',
    );
    await driver.stop();
  });

  test("is logged where other events are in milliseconds", async () => {
    const { driver, source, warnings } = await counting();
    source.push([{ at: START }, { at: START / 1_000 }]);
    await driver.settle();
    expect(warnings).toMatchObject([{ fields: { event: "time-in-seconds", timestamp: START / 1_000 } }]);
    await driver.stop();
  });

  test("is read with unit s", async () => {
    const { driver, source, out, warnings } = await counting("s");
    source.push([{ at: START / 1_000 }, { at: START / 1_000 + 59.999 }]);
    source.end();
    await driver.settle();
    expect(out.rows).toEqual([[START, 2]]);
    expect(warnings).toEqual([]);
    await driver.stop();
  });

  test.each([START, 0, 86_400, START / 1_000 + 90_000, "2027-01-15T08:00:00Z"])(
    "is not seen in %p",
    async (at) => {
      const { driver, source, warnings } = await counting();
      source.push([{ at }]);
      await driver.settle();
      expect(warnings).toEqual([]);
      await driver.stop();
    },
  );
});

test("an event whose time cannot be read is refused with the reason, and counted", async () => {
  const { driver, source, warnings } = await counting();
  source.push([{ at: "yesterday" }, { at: "2027-01-15 08:00" }, { at: START }]);
  await driver.settle();
  expect(warnings).toMatchObject([
    { fields: { event: "events-refused", step: "seconds", count: 2, reason: "invalid-timestamp" } },
  ]);
  expect(reconcile(driver.stats())).toMatchObject({ counted: 1, refused: 2, unaccounted: 0 });
  await driver.stop();
});
