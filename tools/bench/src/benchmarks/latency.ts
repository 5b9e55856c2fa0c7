import { setTimeout as delay } from "node:timers/promises";
import type { Case, Figures, Run } from "../benchmark.ts";
import { CHANNEL } from "../lab/bed.ts";
import type { Bed, Load } from "../lab/bed.ts";
import { millrace, publish } from "../lab/programs.ts";
import { runTrial, WARM_UP_EVENTS } from "../lab/trial.ts";
import { turnsOf, waitedShare } from "../lab/usage.ts";
import { quantile } from "../statistics.ts";

/** Short, so that a turn has many; what a window costs is then paid often. */
const LATENCY_WINDOW_MS = 200;
const SECONDS = 20;
/** Of the highest rate. */
const SHARE = 0.5;
/** How long windows wait for events that come out of order, which is no delay: the default of streams. */
const WAIT_MS = 1_000;

const TARGET_MS = 25;
const TO_TARGET = `p99 to ${TARGET_MS} ms`;
/** Until the last window has closed. */
const AFTER_MS = 1_000;

/**
 * How long after its time the last row of a window arrives: from the end of the window, plus the clock's wait, which is when a
 * watermark can pass it, until this process has the row, or Redis' notice that it is committed.
 *
 * Events come at half of the rate that the publisher reaches beside the aggregator, on the same machine and in the same turn. The
 * time that aggregator and Redis could have worked and had no core is shown beside it: on a busy machine it is most of the p99.
 */
function latency(name: string, load: Load, contender: string, committed: boolean): Case {
  return {
    name,
    contender,
    measure: (run) => measureLatency(run, load, contender, committed),
    ratios: [{ heading: TO_TARGET, atMost: 1 }],
  };
}

/** The cases of a load: rows that are printed, and rows that are committed with the state (exactly-once, but for Pub/Sub). */
export function latencies(name: string, title: string, load: Load): readonly Case[] {
  return [
    latency(`latency-${name}-off`, load, `${title}: rows on stdout`, false),
    latency(`latency-${name}-on`, load, `${title}: rows and state committed to Redis`, true),
  ];
}

function measureLatency({ scale }: Run, load: Load, name: string, committed: boolean): Promise<Figures> {
  // A bare line says nothing about when it was published.
  const timed = load.transport === "stream" || load.transport === "kafka" || load.batch !== undefined;
  const waitMs = timed ? WAIT_MS : 0;
  const contender = millrace(
    name,
    [
      `--window=tumbling:${LATENCY_WINDOW_MS}ms`,
      `--clock=${timed ? `publish:${WAIT_MS}ms` : "system"}`,
      ...(committed ? ["--sink=redis"] : ["--store=none", "--meta"]),
    ],
    committed ? "redis" : undefined,
  );
  /** When the last row of each window arrived, by when the window ended. */
  const arrivals = new Map<number, number>();
  const arrived = (close: number): unknown => arrivals.set(close, Date.now());
  const onRow = (row: string): void => {
    arrived((JSON.parse(row) as { readonly window: { readonly close: number } }).window.close);
  };
  return runTrial(
    contender,
    load,
    async ({ bed, pid, counted }) => {
      await using _ = committed ? await noticesOf(bed, load, arrived) : undefined;
      const fast = Math.ceil(load.events * scale);
      const warmUp = Math.ceil(WARM_UP_EVENTS * scale);
      await publish(bed, load, warmUp);
      const highest = await publish(bed, load, fast);
      await counted([warmUp, fast]);
      await delay(waitMs + AFTER_MS);
      arrivals.clear();
      const pids = [pid, await pidOfRedis(bed)];
      const before = await turnsOf(pids);
      const rate = Math.ceil(highest * SHARE);
      const events = Math.ceil(rate * SECONDS * Math.min(scale, 1));
      const reached = await publish(bed, load, events, { rate });
      const waited = waitedShare(before, await turnsOf(pids));
      // Looking at the rows in Redis keeps it from its work, so the last windows close before.
      await delay(waitMs + AFTER_MS);
      await counted([warmUp, fast, events]);
      if (arrivals.size === 0) throw new Error(`No row of ${name} arrived.`);
      const late = Array.from(arrivals, ([close, at]) => at - close - waitMs);
      return {
        "events/s": reached,
        windows: late.length,
        "p50 ms": quantile(late, 0.5),
        "p99 ms": quantile(late, 0.99),
        "longest ms": Math.max(...late),
        [TO_TARGET]: quantile(late, 0.99) / TARGET_MS,
        "without a core, %": waited * 100,
      };
    },
    committed ? undefined : onRow,
  );
}

async function pidOfRedis({ client }: Bed): Promise<number> {
  return Number(/^process_id:(\d+)/m.exec(await client.info("server"))?.[1]);
}

/** Hears of the rows that a commit has put into Redis. A notice names the window by when it opened. */
async function noticesOf(
  { client }: Bed,
  { transport }: Load,
  arrived: (close: number) => void,
): Promise<AsyncDisposable> {
  const subscriber = client.duplicate();
  const onNotice = (message: string): void => {
    arrived(Number((JSON.parse(message) as { readonly window: string }).window) + LATENCY_WINDOW_MS);
  };
  const channelOf = (part: string): string => `millrace:${part}:mobile_counts:results:out`;
  if (transport === "sharded") {
    subscriber.on("smessage", (_channel: string, message: string) => {
      onNotice(message);
    });
    await subscriber.ssubscribe(channelOf(`{${CHANNEL}}`));
  } else {
    subscriber.on("pmessage", (_pattern: string, _channel: string, message: string) => {
      onNotice(message);
    });
    // A partition of a topic has another name than the topic.
    await subscriber.psubscribe(channelOf("*"));
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await subscriber.quit();
    },
  };
}
