/**
 * Counts calls of functions of `libs/` for a message or a row, for the table in ARCHITECTURE.md:
 * `npx nx run-many -t build && node tools/count-calls.mjs`. It is V8's precise coverage: getters, callbacks and each
 * continuation after an `await` are calls, too.
 *
 * @param folder another clone with its own build. `@default this one`
 */
import { Session } from "node:inspector/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
const { resolve: find } = createRequire(join(root, "apps/aggregator/src/main.ts"));
const load = (name) => import(pathToFileURL(find(name)));
const { startRedis } = await load("@millrace/local-redis");
const { CallbackSink, Dataflow, SILENT_LOGGER, SYSTEM_TIME, start } = await load("@millrace/dataflow");
const { eventTime, tumbling } = await load("@millrace/windowing");
const redisSource = await load("@millrace/redis-source");
const { Redis } = createRequire(join(root, "libs/redis-source/src/index.ts"))("ioredis");
const { RedisPubSubSink, RedisPubSubSource, RedisStreamSink, RedisStreamSource } = redisSource;

/** Runs of an action; the least counts. */
const RUNS = 15;
/** Messages or rows that are sent together with the first one. */
const FURTHER = 100;

const server = await startRedis();
const connection = { url: server.url };
const client = new Redis(server.url);
const session = new Session();
session.connect();
await session.post("Profiler.enable");

/** Calls of one run of an action: the least of some, since timers of connections fire in others. */
async function callsOf(action) {
  const runs = [];
  for (let i = 0; i < RUNS; i++) {
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
    await action();
    const { result } = await session.post("Profiler.takePreciseCoverage");
    await session.post("Profiler.stopPreciseCoverage");
    const own = result.filter(({ url }) => url.startsWith(`${pathToFileURL(root).href}/libs/`));
    runs.push(
      own.flatMap(({ functions }) => functions).reduce((sum, { ranges }) => sum + ranges[0].count, 0),
    );
  }
  return Math.min(...runs);
}

/** @returns the calls for one alone, and for each further one that is sent together with it */
async function counted(send) {
  const alone = await callsOf(() => send(1));
  const together = await callsOf(() => send(FURTHER + 1));
  return { alone, further: (together - alone) / FURTHER };
}

const context = {
  ...{ flow: "calls", step: "rows", logger: SILENT_LOGGER, time: SYSTEM_TIME },
  signal: new globalThis.AbortController().signal,
  reject: () => undefined,
};

/** Rows that are given to a sink, until Redis has accepted them. */
async function rowsOf(sink) {
  const part = await sink.buildPart("0", undefined, context);
  const write = async (count) => {
    await part.writeBatch(Array.from({ length: count }, (_, n) => String(n)));
    await part.flush();
  };
  for (let n = 0; n < 3; n++) await write(1);
  const result = await counted(write);
  await part.close();
  return result;
}

/** Messages, until their rows are at the sink of a flow. */
async function messages(source, flowOf, publish, ready) {
  let awaited = 0;
  let arrived;
  const sink = new CallbackSink((rows) => {
    awaited -= rows.length;
    if (awaited <= 0) arrived?.();
  });
  const flow = new Dataflow("calls");
  flowOf(flow.input("in", source)).output("out", sink);
  const running = start(flow, { logger: SILENT_LOGGER });
  await ready();
  // Each begins a window of its own, and so ends the one before.
  let at = 1_000;
  const send = async (count) => {
    const rows = new Promise((resolveRows) => (arrived = resolveRows));
    awaited += count;
    const pipeline = client.pipeline();
    for (let n = 0; n < count; n++) publish(pipeline, String((at += 10)));
    await pipeline.exec();
    await rows;
  };
  if (flowOf === windowed) await publish(client, String(at));
  for (let n = 0; n < 3; n++) await send(1);
  const result = await counted(send);
  running.stop();
  await running.finished;
  return result;
}

const echo = (lines) => lines;
const windowed = (lines) =>
  lines
    .map("number", Number)
    .keyBy("key", () => "k")
    .window(
      "windows",
      tumbling(10),
      eventTime((at) => at, { wait: 0 }),
    )
    .count("count");

const subscribed = (channel) => async () => {
  while ((await client.pubsub("NUMSUB", channel))[1] !== 1);
};
const table = {};
const row = async (name, sink) => (table[name] = await rowsOf(sink));
await row("row, bare, to PUBLISH", new RedisPubSubSink(connection, { channel: "a" }));
await row("row, framed, to PUBLISH", new RedisPubSubSink(connection, { channel: "b", frames: true }));
await row("row, bare, to XADD", new RedisStreamSink(connection, { stream: "c" }));
await row("row, framed, to XADD", new RedisStreamSink(connection, { stream: "d", frames: true }));
for (const [name, flowOf] of Object.entries({ echo, windowed })) {
  const [channel, stream] = [`channel-${name}`, `stream-${name}`];
  table[`message of a channel, ${name}, to its row`] = await messages(
    new RedisPubSubSource(connection, { channel }),
    flowOf,
    (to, text) => to.publish(channel, text),
    subscribed(channel),
  );
  table[`entry of a stream, ${name}, to its row`] = await messages(
    new RedisStreamSource(connection, { stream, start: "earliest" }),
    flowOf,
    (to, text) => to.xadd(stream, "*", "data", text),
    () => undefined,
  );
}
console.table(table);
session.disconnect();
client.disconnect();
await server.stop();
