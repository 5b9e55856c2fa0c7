import type { Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "../statistics.ts";
import type { Bed, Load } from "./bed.ts";
import { Consumer } from "./consumer.ts";
import type { Contender } from "./contender.ts";
import { listening } from "./listening.ts";

/** Far below what anybody here can take: it is not the queue that is measured. */
const RATE = 5_000;
const SECONDS = 10;
const WINDOW_MS = 250;
/** Until the last window has closed. */
const AFTER_MS = 1_000;

/** How long after the end of their window rows arrive, ms. */
export interface Latency {
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
}

/** A row that tells its window, as all do here. */
interface WindowRow {
  readonly window: { readonly close: number };
}

/** What Redis tells of rows that a commit has made visible. */
interface Notice {
  /** When the window opened, ms since the epoch. */
  readonly window: string;
}

/** Measures one contender over events that come steadily: from the end of a window to the arrival of each of its rows. */
export async function measureLatency(bed: Bed, load: Load, contender: Contender): Promise<Latency> {
  const channel = bed.newChannel();
  const waits: number[] = [];
  const arrived = (close: number): void => {
    waits.push(Date.now() - close);
  };
  const notices = contender.rows === "redis" ? await noticesOf(bed, channel, arrived) : undefined;
  const command = contender.command({ bed, load, channel, windowMs: WINDOW_MS });
  const consumer = await Consumer.start(command, (line) => {
    arrived((JSON.parse(line) as WindowRow).window.close);
  });
  try {
    await listening(bed, load, channel, consumer);
    await bed.publish(load, channel, RATE * SECONDS, { rate: RATE });
    await delay(AFTER_MS);
    if (waits.length === 0) throw new Error(`No row of ${contender.name} arrived.`);
    return { latencyP50Ms: quantile(waits, 0.5), latencyP99Ms: quantile(waits, 0.99) };
  } finally {
    await consumer.stop();
    notices?.disconnect();
    await bed.clear();
  }
}

/** Rows in Redis arrive with the notice that tells of them: whoever waits for it can read them. */
async function noticesOf(bed: Bed, channel: string, arrived: (close: number) => void): Promise<Redis> {
  const subscriber = bed.client.duplicate();
  subscriber.on("message", (_channel: string, message: string) => {
    arrived(Number((JSON.parse(message) as Notice).window) + WINDOW_MS);
  });
  await subscriber.subscribe(`millrace:{${channel}}:mobile_counts:results:out`);
  return subscriber;
}
