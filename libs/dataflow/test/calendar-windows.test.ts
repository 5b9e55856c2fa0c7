import "temporal-polyfill/global";

import { expect, test } from "@jest/globals";
import { Dataflow, MemoryStore } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { count, eventTime, sum, tumbling, windowTime } from "@millrace/windowing";
import type { WindowResult } from "@millrace/windowing";

const HOUR = 3_600_000;
/** The day on which the clocks go back: it has 25 hours. */
const MIDNIGHT = Date.parse("2026-10-25T00:00+02:00");

/** Events by hour, and the hours of a day in a zone. */
function hoursOfDays(source: TestingSource<number>, sink: TestingSink<unknown>, timeZone: string): Dataflow {
  const flow = new Dataflow("hours");
  flow
    .input("in", source)
    .keyBy("all", () => "all")
    .window("hours", tumbling("1h"), eventTime(Number, { wait: 0, maxFuture: "unbounded" }))
    .count("n")
    .window("days", tumbling("1d", { timeZone }), windowTime())
    .aggregate("all", { hours: count(), events: sum(({ value }: WindowResult<number>) => value) })
    .map(({ value, window: { open, close } }) => ({ ...value, length: (close - open) / HOUR }))
    .output("out", sink);
  return flow;
}

test("a day has the hours that it has in its zone, after a restart, too", async () => {
  const store = new MemoryStore();
  const source = new TestingSource<number>();
  const sink = new TestingSink<unknown>();
  const events = Array.from({ length: 60 }, (_, half) => MIDNIGHT + half * (HOUR / 2));
  for (const some of [events.slice(0, 20), events.slice(20)]) {
    const driver = await FlowDriver.start(hoursOfDays(source, sink, "Europe/Berlin"), { store });
    source.push(some);
    await driver.settle();
    await driver.stop();
  }
  expect(sink.rows).toEqual([{ hours: 25, events: 50, length: 25 }]);
});

test("state of another zone is refused, and the message has both", async () => {
  const store = new MemoryStore();
  const source = new TestingSource<number>();
  const start = async (timeZone: string): Promise<FlowDriver> =>
    FlowDriver.start(hoursOfDays(source, new TestingSink(), timeZone), { store });
  const first = await start("Europe/Berlin");
  source.push([MIDNIGHT]);
  await first.settle();
  await first.stop();
  const second = await start("Europe/Paris");
  await expect(second.stop()).rejects.toMatchObject({
    code: "MILLRACE_STATE_MISMATCH",
    message: expect.stringContaining(
      'step "days.all", windows: kept calendar 1 day in Europe/Berlin, now calendar 1 day in Europe/Paris',
    ),
  });
});
