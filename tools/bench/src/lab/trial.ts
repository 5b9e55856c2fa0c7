import { setTimeout as delay } from "node:timers/promises";
import type { Figures, Run } from "../benchmark.ts";
import type { Bed, Load } from "./bed.ts";
import { Consumer } from "./consumer.ts";
import { selfMeasured } from "./contenders.ts";
import type { Contender } from "./contenders.ts";
import { wrongCount } from "./tally.ts";

/** Events of the warm-up, so that code is compiled and memory has its final size. */
const WARM_UP_EVENTS = 200_000;
/** Long enough for a window that is still open, and for its waiting time. */
const COUNTED_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/** A program, and how it gets its events. */
export interface Job {
  readonly load: Load;
  readonly contender: Contender;
}

/**
 * Measures one contender once, in a process of its own: the resources for counting a number of events that are already in
 * Redis. They were published while it was paused, so that the publisher's rate and CPU time have no effect, and all
 * contenders get the same input.
 *
 * @param all events without those of the warm-up
 * @throws Error if the rows do not add up: a wrong result must not have a measurement
 */
export async function measure(run: Run, job: Job, all: number): Promise<Figures> {
  const { idling = 0, share = 1 } = job.contender;
  const warmUp = Math.ceil(WARM_UP_EVENTS * run.scale * share);
  const events = Math.ceil(all * run.scale * share);
  return runTrial(run, job, async ({ consumer, publish, counted }) => {
    await publish(warmUp);
    await consumer.quiet(idling);
    const before = await consumer.usage();
    const resume = await consumer.pause();
    await publish(events);
    const began = performance.now();
    resume();
    const quiet = await consumer.quiet(idling);
    await counted([warmUp, events]);
    // It may have worked since: to close the last window, or after a wait for a core.
    const end = await consumer.usage();
    const idleMicros = idling * (end.at - quiet.at) * 1_000;
    const cpuMicros = end.cpuMicros - before.cpuMicros - idleMicros;
    return perEvent(events, cpuMicros, quiet.at - began, end.peakMiB);
  });
}

/** Measures the loop that parses and counts over lines in memory, in a process of its own: nothing is received. */
export async function measureFloor({ scale }: Run, all: number): Promise<Figures> {
  const [warmUp, events] = [Math.ceil(WARM_UP_EVENTS * scale), Math.ceil(all * scale)] as const;
  const { cpuMicros, elapsedMs, rssMiB } = await selfMeasured("floor", [warmUp, events]);
  return perEvent(events, cpuMicros, elapsedMs, rssMiB);
}

function perEvent(events: number, cpuMicros = NaN, elapsedMs = NaN, rssMiB = NaN): Figures {
  return {
    events,
    cpuMicrosPerEvent: cpuMicros / events,
    eventsPerCpuSecond: (events * 1e6) / cpuMicros,
    eventsPerSecond: (events * 1_000) / elapsedMs,
    rssMiB,
  };
}

/** A contender that runs, and what is done with it. */
export interface Trial {
  readonly bed: Bed;
  readonly consumer: Consumer;
  /** @param rate events per second. `@default as fast as Redis takes them` @returns the rate that was reached */
  readonly publish: (events: number, rate?: number) => Promise<number>;
  /** Remembers the rows that are in Redis now, which removes those of past windows after a time. */
  readonly keepRows: () => Promise<void>;
  /** Resolves when all rows of these publications are there. @throws Error if they do not add up */
  readonly counted: (publications: readonly number[]) => Promise<void>;
}

/** Runs a contender for as long as it is used; Redis is empty again afterwards. */
export async function runTrial<T>(
  run: Run,
  { load, contender }: Job,
  use: (trial: Trial) => Promise<T>,
): Promise<T> {
  const bed = await run.bed();
  const { client } = bed;
  const rows = new Map<string, string>();
  const consumer = new Consumer(contender.command({ bed, load }), (line) =>
    rows.set(String(rows.size), line),
  );
  bed.adopt(consumer);
  const keepRows = async (): Promise<void> => {
    if (contender.rows !== "redis") return;
    for await (const names of client.scanStream({ match: "millrace:*:results:out:*", type: "hash" })) {
      for (const name of names as readonly string[]) {
        const found = Object.entries(await client.hgetall(name));
        for (const [field, row] of found) rows.set(`${name} ${field}`, row);
      }
    }
  };
  const counted = async (publications: readonly number[]): Promise<void> => {
    for (const deadline = performance.now() + COUNTED_TIMEOUT_MS; ;) {
      await keepRows();
      const wrong = wrongCount(publications, rows.values());
      if (wrong === undefined) return;
      if (performance.now() > deadline)
        throw new Error(`The rows of ${contender.name} do not add up: ${wrong}.`);
      await delay(POLL_MS);
    }
  };
  // It waits for the consumer to subscribe.
  const publish = (events: number, rate?: number): Promise<number> => bed.publish(load, events, { rate });
  try {
    return await Promise.race([use({ bed, consumer, publish, keepRows, counted }), consumer.ended]);
  } finally {
    await bed.clear();
  }
}
