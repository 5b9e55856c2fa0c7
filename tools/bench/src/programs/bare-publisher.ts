import { Redis } from "ioredis";
import { eventLines } from "../lab/tally.ts";
import { CPU, RATE } from "../lab/usage.ts";
import "./common.ts";

/*
 * A fast hand-written publisher: pipelines of 128 KiB, two of them in flight, of lines in memory.
 * Frames are lines joined after a header, as the publisher's are. Prints its CPU time an event, and how many it sent in a second.
 * Arguments: URL, channel, events, events in a message.
 */
const PIPELINE_BYTES = 128 * 1_024;
const IN_FLIGHT = 2;

const [url = "", channel = "", events = "", batch = ""] = process.argv.slice(2);
const redis = new Redis(url);
await redis.ping();
const lines = eventLines();
const size = Number(batch);
const total = Math.ceil(Number(events) / size);
const each = Math.max(Math.floor(PIPELINE_BYTES / Buffer.byteLength(messageAt(0))), 1);

const before = process.cpuUsage();
const began = performance.now();
const flying: Promise<unknown>[] = [];
for (let sent = 0; sent < total;) {
  const pipeline = redis.pipeline();
  for (const end = Math.min(sent + each, total); sent < end; sent++) {
    pipeline.publish(channel, messageAt(sent));
  }
  flying.push(pipeline.exec());
  if (flying.length === IN_FLIGHT) await flying.shift();
}
await Promise.all(flying);
const elapsedMs = performance.now() - began;
const { user, system } = process.cpuUsage(before);
const figures = { [CPU]: (user + system) / Number(events), [RATE]: (Number(events) * 1_000) / elapsedMs };
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.disconnect();
redis.disconnect();

function messageAt(number: number): string {
  if (size === 1) return lines[number % lines.length] ?? "";
  const from = (number * size) % (lines.length - size);
  const header = `#millrace/1 00000000-0000-4000-8000-000000000000.0 ${number * size} ${size} ${Date.now()}`;
  return [header, ...lines.slice(from, from + size)].join("\n");
}
