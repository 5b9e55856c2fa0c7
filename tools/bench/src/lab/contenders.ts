import { partitionNames } from "@millrace/redis-source";
import { setTimeout as delay } from "node:timers/promises";
import type { Bed, Load } from "./bed.ts";
import { Consumer } from "./consumer.ts";
import { appMain, nodeCommand, programFile } from "./programs.ts";
import type { Command } from "./programs.ts";

/** A program that counts mobile events by time zone in tumbling windows, and can be compared with others. */
export interface Contender {
  readonly name: string;
  readonly command: (task: Task) => Command;
  /** Destination of its rows. @default "stdout" */
  readonly rows?: "stdout" | "redis";
  /** Share of a core that it may take while it has nothing to do: some ask for events over and over. @default 0 */
  readonly idling?: number;
  /** Events that it gets for each that the others get: a slow one would take for ever. @default 1 */
  readonly share?: number;
}

/** The task of a contender. */
export interface Task {
  readonly bed: Bed;
  readonly load: Load;
  readonly channel: string;
  readonly windowMs: number;
}

/** Runs a contender for as long as it is used; Redis is empty again afterwards. */
export async function withContender<T>(
  { command }: Contender,
  { bed, load, windowMs }: Omit<Task, "channel">,
  onRow: (line: string) => void,
  use: (consumer: Consumer, channel: string) => Promise<T>,
): Promise<T> {
  const channel = bed.newChannel();
  const consumer = await Consumer.start(command({ bed, load, channel, windowMs }), onRow);
  const release = bed.adopt(consumer);
  try {
    await subscribed({ bed, load, channel }, consumer);
    return await use(consumer, channel);
  } finally {
    await consumer.stop();
    release();
    await bed.clear();
  }
}

const SUBSCRIBE_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/** Resolves when a consumer will get what is published. A stream keeps what comes before; Pub/Sub needs a subscriber. */
async function subscribed(
  { bed, load, channel }: Pick<Task, "bed" | "load" | "channel">,
  consumer: Consumer,
): Promise<void> {
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

/** The real aggregator, with its defaults except for what is given. */
export function millrace(
  name: string,
  args: readonly string[] = [],
  rows: Contender["rows"] = "stdout",
): Contender {
  const command = ({ bed, load, channel, windowMs }: Task): Command =>
    nodeCommand(
      appMain("aggregator"),
      [
        `--transport=${load.transport}`,
        `--channel=${channel}`,
        `--partitions=${load.partitions ?? 1}`,
        `--window=tumbling:${windowMs}ms`,
        "--meta",
        "--log-level=warn",
        ...args,
      ],
      bed.env,
    );
  return { name, rows, command };
}

/** One of this project's programs; its arguments are Redis, channel, length of a window, and what `more` gives. */
export function ownProgram(
  name: string,
  program: string,
  more: (load: Load) => readonly (string | number)[] = () => [],
): Contender {
  const command = ({ bed, load, channel, windowMs }: Task): Command =>
    nodeCommand(programFile(program), [bed.redis.url, channel, ...[windowMs, ...more(load)].map(String)]);
  return { name, command };
}
