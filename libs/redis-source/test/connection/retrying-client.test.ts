import { afterEach, expect, it, jest } from "@jest/globals";
import { SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import type { TimeProvider } from "@millrace/dataflow";
import { RedisStreamSource, RetryingClient, connectRedis } from "@millrace/redis-source";
import type { RedisError } from "@millrace/redis-source";
import { partContext } from "../support/part-context.ts";
import { infoReply, scriptedRedis } from "../support/scripted-server.ts";

const LONGEST_MS = 2_000;

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  for (const each of cleanUps.splice(0).reverse()) await each();
});

/** Real time with other timers. */
function timeOf(wakeAfter: TimeProvider["wakeAfter"]): TimeProvider {
  return {
    now: () => SYSTEM_TIME.now(),
    monotonic: () => SYSTEM_TIME.monotonic(),
    wakeAt: (at, callback) => SYSTEM_TIME.wakeAt(at, callback),
    onStep: (listener) => SYSTEM_TIME.onStep(listener),
    yield: () => SYSTEM_TIME.yield(),
    wakeAfter,
  };
}

it("retries after growing random delays", async () => {
  const refusals = 9;
  let asked = 0;
  const server = await scriptedRedis(([command = ""]) => {
    if (command.toUpperCase() === "INFO") return infoReply("7.4.0");
    if (command.toUpperCase() !== "XINFO") return "+OK\r\n";
    asked += 1;
    return asked <= refusals
      ? "-BUSY Redis is busy running a script.\r\n"
      : "-WRONGTYPE Operation against a key\r\n";
  });
  cleanUps.push(() => server.close());
  const delays: number[] = [];
  const time = timeOf((delayMs, callback) => {
    if (delayMs > LONGEST_MS) return SYSTEM_TIME.wakeAfter(delayMs, callback);
    delays.push(delayMs);
    return SYSTEM_TIME.wakeAfter(0, callback);
  });
  jest.spyOn(Math, "random").mockReturnValue(0.5);
  const source = new RedisStreamSource({ url: `redis://127.0.0.1:${server.port}` }, { stream: "{s:0}" });
  await expect(source.buildPart("{s:0}", undefined, partContext(time))).rejects.toThrow("WRONGTYPE");
  expect(delays).toEqual([25, 50, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
});

it.each([
  [
    "why Redis refused the attempt before",
    "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    /OOM/,
  ],
  ["that Redis does not answer, if it refused none", undefined, /does not answer\.$/],
])("an attempt in flight at the limit says %s", async (_, first, message) => {
  const limitMs = 60_000;
  let atLimit = (): void => undefined;
  const time = timeOf((delayMs, callback) => {
    // A little of the limit is over when an attempt begins.
    if (delayMs > limitMs / 2) atLimit = callback;
    return SYSTEM_TIME.wakeAfter(delayMs, callback);
  });
  let asked = 0;
  const server = await scriptedRedis(([command = ""]) => {
    if (command.toUpperCase() === "INFO") return infoReply("7.4.0");
    if (command.toUpperCase() !== "GET") return "+OK\r\n";
    asked += 1;
    if (asked === 1 && first !== undefined) return first;
    atLimit();
    return undefined;
  });
  cleanUps.push(() => server.close());
  const logger = SILENT_LOGGER;
  const connection = await connectRedis(
    { url: `redis://127.0.0.1:${server.port}` },
    { role: "test", logger, time },
  );
  const client = new RetryingClient(connection, { logger, time, reached: { yet: true } });
  cleanUps.push(() => client.close());
  const limit = { afterMs: limitMs, error: (reason: RedisError) => reason };
  await expect(
    client.run(({ client: redis, answer }) => answer(redis.get("key")), { limit }),
  ).rejects.toThrow(message);
  expect(asked).toBe(first === undefined ? 1 : 2);
});
