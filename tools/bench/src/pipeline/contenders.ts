import { appMain, nodeArgs, programFile } from "../conductor/paths.ts";
import type { ConsumerCommand } from "../conductor/consumer.ts";
import type { ConsumerTask, Contender } from "../conductor/contender.ts";

/** Entries that the bare loop asks for at a time, about as many events as the aggregator does. */
const XREAD_EVENTS = 1_024;

/** The real aggregator, with its defaults but for what is said. */
export function millrace(
  name: string,
  args: readonly string[] = [],
  rows: Contender["rows"] = "stdout",
): Contender {
  return { name, rows, command: (task) => aggregatorCommand(task, args) };
}

/** The same without the projection, over a flow that is otherwise the same. */
export function wholeClicks(name: string): Contender {
  return millrace(name, [`--flow=${programFile("whole-clicks-flow")}`]);
}

function aggregatorCommand(
  { bed, load, channel, windowMs }: ConsumerTask,
  args: readonly string[],
): ConsumerCommand {
  const { transport, partitions = 1 } = load;
  const options = [
    `--transport=${transport}`,
    `--channel=${channel}`,
    `--partitions=${partitions}`,
    `--window=tumbling:${windowMs}ms`,
    "--meta",
    "--log-level=warn",
    ...args,
  ];
  return { file: process.execPath, args: nodeArgs(appMain("aggregator"), options), env: bed.env };
}

const CLIENT_NAMES = {
  ioredis5: "ioredis 5.11",
  ioredis6: "ioredis 6 (RESP3)",
  "ioredis6-resp2": "ioredis 6 with RESP2",
} as const;

/** The loop that people write by hand, over Pub/Sub. */
export function bareListener(client: keyof typeof CLIENT_NAMES = "ioredis5"): Contender {
  return {
    name: `bare listener, ${CLIENT_NAMES[client]}`,
    command: ({ bed, load, channel, windowMs }) => {
      const form = load.batch === undefined ? "bare" : "frames";
      const args = [client, bed.redis.url, channel, String(windowMs), form];
      return { file: process.execPath, args: nodeArgs(programFile("bare-listener"), args) };
    },
  };
}

/** The same over a stream. */
export const bareXread: Contender = {
  name: "bare XREAD loop",
  command: ({ bed, load: { batch = 1 }, channel, windowMs }) => {
    const entries = Math.max(Math.floor(XREAD_EVENTS / batch), 1);
    const args = [bed.redis.url, channel, String(windowMs), String(entries)];
    return { file: process.execPath, args: nodeArgs(programFile("bare-xread"), args) };
  },
};
