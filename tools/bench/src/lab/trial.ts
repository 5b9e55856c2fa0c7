import { partitionNames } from "@millrace/redis-source";
import type { Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import type { Run } from "../benchmark.ts";
import type { Figures } from "../rounds.ts";
import { quantile } from "../statistics.ts";
import type { Bed, Load } from "./bed.ts";
import { Consumer } from "./consumer.ts";
import type { Usage } from "./consumer.ts";
import { selfMeasured } from "./programs.ts";
import type { Contender } from "./programs.ts";
import { wrongCount } from "./tally.ts";

/** Events of the warm-up, so that code is compiled and memory has its final size. */
const WARM_UP_EVENTS = 200_000;
/** Short enough to close soon after the last event. */
const WINDOW_MS = 1_000;
/** What the rows of the last window may take, and is not counted: this much, or a share of what was measured. */
const AFTERWARDS_MICROS = 100_000;
const AFTERWARDS_SHARE = 0.1;

/** The input of a measurement, and the program that counts it. */
export interface Job {
  readonly load: Load;
  readonly contender: Contender;
  /** Without those of the warm-up. */
  readonly events: number;
}

/**
 * Measures one contender once, in a process of its own: the resources for counting a number of events that are already in
 * Redis. They were published while it was paused, so that the publisher's rate and CPU time have no effect, and all
 * contenders get the same input.
 *
 * @throws Error if the rows do not add up: a wrong result must not have a measurement
 */
export async function measure(run: Run, { load, contender, events: all }: Job): Promise<Figures> {
  const { idling = 0, share = 1 } = contender;
  const warmUp = Math.ceil(WARM_UP_EVENTS * run.scale * share);
  const events = Math.ceil(all * run.scale * share);
  return runTrial(run, { load, contender, windowMs: WINDOW_MS }, async ({ consumer, publish, counted }) => {
    await publish(warmUp);
    const before = await consumer.quiet(idling);
    consumer.pause();
    await publish(events);
    const began = performance.now();
    consumer.resume();
    const quiet = await consumer.quiet(idling);
    await counted([warmUp, events]);
    const end = atEnd(before, quiet, consumer.usage(), idling);
    return perEvent(events, end.cpuMicros - before.cpuMicros, end.at - began, quiet.peakMiB);
  });
}

/** When it really was done: it may have been kept waiting for so long that it only seemed so. */
function atEnd(before: Usage, quiet: Usage, now: Usage, idling: number): Usage {
  const idle = idling * (now.at - quiet.at) * 1_000;
  const afterwards = now.cpuMicros - quiet.cpuMicros - idle;
  const most = Math.max(AFTERWARDS_MICROS, (quiet.cpuMicros - before.cpuMicros) * AFTERWARDS_SHARE);
  return afterwards > most ? { ...now, cpuMicros: now.cpuMicros - idle } : quiet;
}

/** Measures the loop that parses and counts over lines in memory, in a process of its own: nothing is received. */
export async function measureFloor({ scale }: Run, all: number): Promise<Figures> {
  const [warmUp, events] = [Math.ceil(WARM_UP_EVENTS * scale), Math.ceil(all * scale)] as const;
  const { cpuMicros, elapsedMs, rssMiB } = await selfMeasured("floor", [WINDOW_MS, warmUp, events]);
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

/** Far below the limit of every contender, so that queueing is not measured. */
const LATENCY_RATE = 5_000;
const LATENCY_SECONDS = 10;
const LATENCY_WINDOW_MS = 250;
/** Until the last window has closed. */
const LATENCY_AFTER_MS = 1_000;

/** Measures one contender over events that come steadily: from the end of a window to the arrival of each of its rows. */
export async function measureLatency(run: Run, job: Omit<Job, "events">): Promise<Figures> {
  const waits: number[] = [];
  const arrived = (close: number): unknown => waits.push(Date.now() - close);
  const onRow = (line: string): void => {
    arrived((JSON.parse(line) as { readonly window: { readonly close: number } }).window.close);
  };
  const events = Math.ceil(LATENCY_RATE * LATENCY_SECONDS * Math.min(run.scale, 1));
  return runTrial(run, { ...job, windowMs: LATENCY_WINDOW_MS, onRow }, async ({ bed, channel, publish }) => {
    const notices = job.contender.rows === "redis" ? await noticesOf(bed, channel, arrived) : undefined;
    try {
      await publish(events, LATENCY_RATE);
      await delay(LATENCY_AFTER_MS);
    } finally {
      notices?.disconnect();
    }
    if (waits.length === 0) throw new Error(`No row of ${job.contender.name} arrived.`);
    return { latencyP50Ms: quantile(waits, 0.5), latencyP99Ms: quantile(waits, 0.99) };
  });
}

/** Rows in Redis arrive with the notice of their commit, which has the time when their window opened. */
async function noticesOf(bed: Bed, channel: string, arrived: (close: number) => void): Promise<Redis> {
  const subscriber = bed.client.duplicate();
  subscriber.on("message", (_channel: string, message: string) => {
    arrived(Number((JSON.parse(message) as { readonly window: string }).window) + LATENCY_WINDOW_MS);
  });
  await subscriber.subscribe(`millrace:{${channel}}:mobile_counts:results:out`);
  return subscriber;
}

const SUBSCRIBE_TIMEOUT_MS = 30_000;
/** Long enough for a window that is still open, and for its waiting time. */
const COUNTED_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

interface TrialSettings extends Omit<Job, "events"> {
  readonly windowMs: number;
  /** Called with each row on standard output. */
  readonly onRow?: (line: string) => void;
}

/** A contender that runs, and what is done with it. */
export interface Trial {
  readonly bed: Bed;
  readonly channel: string;
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
  { load, contender, windowMs, onRow }: TrialSettings,
  use: (trial: Trial) => Promise<T>,
): Promise<T> {
  const bed = await run.bed();
  const channel = bed.newChannel();
  const rows = new Map<string, string>();
  const consumer = new Consumer(contender.command({ bed, load, channel, windowMs }), (line) => {
    rows.set(String(rows.size), line);
    onRow?.(line);
  });
  bed.adopt(consumer);
  const keepRows = async (): Promise<void> => {
    consumer.throwIfEnded();
    if (contender.rows !== "redis") return;
    for (const [place, row] of await bed.keptRows()) rows.set(place, row);
  };
  const counted = async (publications: readonly number[]): Promise<void> => {
    for (const deadline = performance.now() + COUNTED_TIMEOUT_MS; ;) {
      await keepRows();
      const wrong = wrongCount(publications, rows.values());
      if (wrong === undefined) return;
      if (performance.now() > deadline) {
        throw new Error(`The rows of ${contender.name} do not add up: ${wrong}.`);
      }
      await delay(POLL_MS);
    }
  };
  const publish = (events: number, rate?: number): Promise<number> =>
    bed.publish(load, channel, events, rate);
  try {
    await subscribed(bed, load, channel, consumer);
    return await use({ bed, channel, consumer, publish, keepRows, counted });
  } finally {
    await consumer.stop();
    await bed.clear();
  }
}

/** Resolves when a consumer will get what is published. A stream keeps what comes before; Pub/Sub needs a subscriber. */
async function subscribed(bed: Bed, load: Load, channel: string, consumer: Consumer): Promise<void> {
  if (load.transport === "stream") return;
  const channels = partitionNames(channel, load.partitions ?? 1);
  for (const deadline = performance.now() + SUBSCRIBE_TIMEOUT_MS; ;) {
    const reply = await bed.client.pubsub("NUMSUB", ...channels);
    // Name, number, name, number, …
    if (reply.every((each, index) => index % 2 === 0 || Number(each) > 0)) return;
    consumer.throwIfEnded();
    if (performance.now() > deadline)
      throw new Error(`There is no subscriber to ${channel} after ${SUBSCRIBE_TIMEOUT_MS} ms.`);
    await delay(POLL_MS);
  }
}
