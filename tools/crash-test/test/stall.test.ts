import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { expect, test } from "@jest/globals";
import { readResults } from "../src/conductor/read-results.ts";
import { soon } from "../src/conductor/test-bed.ts";
import { steadyEvents } from "./support/steady-events.ts";
import { withTestBed } from "./support/with-test-bed.ts";

const EVENTS = 1_500;
/** Five windows long. */
const STALL_MS = 1_500;

test.each(["stream", "pubsub"] as const)(
  "a process that stood still for longer than a window has made no event late: %s",
  async (transport) => {
    await withTestBed(async (bed) => {
      const file = await bed.writeInput(steadyEvents(EVENTS));
      const way = [`--transport=${transport}`];
      const [publisher, aggregator] = await Promise.all([
        bed.startPublisher([...way, `--file=${file}`, `--portion=${EVENTS / 3}`, "--rate=500"]),
        bed.startAggregator([
          ...way,
          "--clock=publish",
          "--window-ms=300",
          "--wait-ms=100",
          "--commit-every-ms=50",
          "--exit-when-idle-ms=1500",
        ]),
      ]);
      publisher.kill("SIGUSR2");
      await soon(publisher.logged("portion"), "the first events");
      publisher.kill("SIGUSR2");
      aggregator.kill("SIGSTOP");
      await delay(STALL_MS);
      await soon(
        publisher.logged("portion", ({ total }) => total === (EVENTS / 3) * 2),
        "events meanwhile",
      );
      publisher.kill("SIGUSR2");
      aggregator.kill("SIGCONT");
      await soon(publisher.ended, "the publisher to end");
      const { code, log, output } = await soon(aggregator.ended, "the aggregator to end");

      expect(log.find(({ event }) => event === "done")).toMatchObject({ late: 0, lost: 0, unaccounted: 0 });
      expect(code).toBe(0);
      const rows = transport === "stream" ? await historyOf(bed.redis.url) : output.map(eventsIn);
      expect(rows.reduce((sum, events) => sum + events, 0)).toBe(EVENTS);
    });
  },
  120_000,
);

async function historyOf(url: string): Promise<readonly number[]> {
  const client = new Redis(url);
  const { history } = await readResults(client);
  client.disconnect();
  return history.map(({ events }) => events);
}

function eventsIn(line: string): number {
  return Number(/"events":(\d+)/.exec(line)?.[1]);
}
