import { expect, it } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import { LengthWatch } from "../../src/stream/length-watch.ts";
import { partContext } from "../support/part-context.ts";

it("warns once an hour, whatever the wall clock does in between", () => {
  const time = new VirtualTime(1_800_000_000_000);
  const context = partContext(time);
  const watch = new LengthWatch("clicks", 10, context);
  const warnings = (): number => context.logger.of("stream-long").length;
  watch.look(11);
  expect(warnings()).toBe(1);
  time.stepWall(7_200_000);
  watch.look(11);
  expect(warnings()).toBe(1);
  time.set(time.now() + 3_600_000);
  watch.look(10);
  expect(warnings()).toBe(1);
  watch.look(11);
  expect(warnings()).toBe(2);
});
