import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { TaskInRedis } from "../src/conductor/task-in-redis.ts";
import { PortionedPublisher } from "../src/conductor/portioned-publisher.ts";
import { soon } from "../src/conductor/bed.ts";
import type { TestBed } from "../src/conductor/test-bed.ts";
import { steadyEvents } from "./support/steady-events.ts";
import { withTestBed } from "./support/with-test-bed.ts";

const PORTION = 500;
/** More than two windows long. */
const STALL_MS = 700;
/** The point at which the process is stopped is random. */
const STALLS = 4;
const EVENTS = PORTION * (STALLS + 1);

test.each(["stream", "pubsub"] as const)(
  "a process that was stopped for longer than a window makes no event late: %s",
  async (transport) => {
    await withTestBed(async (bed) => {
      const file = await bed.writeInput(steadyEvents(EVENTS));
      const way = [`--transport=${transport}`];
      const [publisher, aggregator] = await Promise.all([
        bed.startPublisher([...way, `--file=${file}`, `--portion=${PORTION}`, "--rate=500"]),
        bed.startAggregator([
          ...way,
          "--clock=publish",
          "--window-ms=300",
          "--wait-ms=100",
          "--commit-every-ms=50",
          "--exit-when-idle-ms=1500",
          "--close-windows=true",
        ]),
      ]);
      const events = new PortionedPublisher(publisher, PORTION);
      await events.publishMore();
      for (let stall = 0; stall < STALLS; stall += 1) {
        await events.publishMore();
        aggregator.kill("SIGSTOP");
        await delay(STALL_MS);
        aggregator.kill("SIGCONT");
      }
      await soon(publisher.ended, "the publisher to end");
      const { code, log, output } = await soon(aggregator.ended, "the aggregator to end");

      expect(log.find(({ event }) => event === "done")).toMatchObject({ late: 0, lost: 0, unaccounted: 0 });
      expect(code).toBe(0);
      const rows = transport === "stream" ? await historyOf(bed) : output.map(eventsIn);
      expect(rows.reduce((sum, events) => sum + events, 0)).toBe(EVENTS);
    });
  },
  120_000,
);

async function historyOf(bed: TestBed): Promise<readonly number[]> {
  const task = new TaskInRedis(bed);
  const { history } = await task.results();
  task.close();
  return history.map(({ events }) => events);
}

function eventsIn(line: string): number {
  return Number(/"events":(\d+)/.exec(line)?.[1]);
}
