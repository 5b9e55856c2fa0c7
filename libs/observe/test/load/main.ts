/**
 * Many listeners: 500 clients of the stream, 50 of which read nothing, while windows change all the time. Fails if memory grows
 * beyond its bound, if the event loop or `/metrics` are slow, or if those that do not read are not disconnected.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { SILENT_LOGGER } from "@millrace/dataflow";
import { FlowMonitor, serveHttp } from "@millrace/observe";
import { FakeRun, resultOf, taskOf } from "../fake-run.ts";

const READING = 450;
const DEAF = 50;
const SECONDS = 75;
const MIB = 2 ** 20;
/** What waits for the deaf clients: 256 KiB and one event each, the same buffers for all, and the ring. */
const MAX_GROWTH_BYTES = 60 * MIB;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const monitor = new FlowMonitor();
const run = new FakeRun();
run.tasks = Array.from({ length: 16 }, (_, i) => taskOf(`p${i}`));
monitor.started(run);
const server = await serveHttp(monitor, { port: 0, logger: SILENT_LOGGER });
let open = 0;
const rows = 1_000;
const emitting = setInterval(() => {
  for (let i = 0; i < 2; i += 1) {
    open += 60_000;
    const results = Array.from({ length: rows }, (_, i) =>
      resultOf(`key-${i}`, { n: i, of: open }, { open }),
    );
    monitor.resultsEmitted({ part: "p0", step: "per-minute", at: Date.now(), results });
  }
}, 100);

async function metric(name: string): Promise<number> {
  const text = await (await fetch(new URL("metrics", server.url))).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

/** Bytes in use, without garbage. */
function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

await wait(5_000);
const before = bytesInUse();
const listeners = fork(join(import.meta.dirname, "listeners.ts"), [
  new URL(server.url).port,
  String(READING),
  String(DEAF),
]);
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const scrapes: number[] = [];
let mostBytes = 0;
let mostClients = 0;
for (let second = 0; second < SECONDS; second += 1) {
  await wait(1_000);
  const began = performance.now();
  mostClients = Math.max(mostClients, await metric("millrace_stream_clients"));
  scrapes.push(performance.now() - began);
  mostBytes = Math.max(mostBytes, bytesInUse());
}
delay.disable();
const disconnects = await metric("millrace_stream_disconnects_total");
const left = await metric("millrace_stream_clients");
listeners.send("bytes");
const [bytes] = (await once(listeners, "message")) as [number];
clearInterval(emitting);
const closing = performance.now();
await server.close();
const closedMs = performance.now() - closing;
listeners.kill();

const sorted = scrapes.sort((a, b) => a - b);
const figures = {
  mostClients,
  left,
  disconnects,
  readMiBPerSecond: Math.round(bytes / SECONDS / MIB),
  growthMiB: Math.round((mostBytes - before) / MIB),
  loopDelayP99Ms: Math.round(delay.percentile(99) / 1e6),
  metricsMs: {
    p50: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    most: Math.round(sorted.at(-1) ?? 0),
  },
  closedMs: Math.round(closedMs),
};
console.log(JSON.stringify(figures));
const failures = [
  ...(mostClients === READING + DEAF ? [] : ["not all clients were there"]),
  ...(left === READING ? [] : ["a client that reads was disconnected, or one that does not was kept"]),
  ...(disconnects === DEAF ? [] : ["not all clients that read nothing were disconnected"]),
  ...(mostBytes - before <= MAX_GROWTH_BYTES ? [] : ["memory grew beyond its bound"]),
  ...(closedMs < 2_000 ? [] : ["closing took too long"]),
];
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
