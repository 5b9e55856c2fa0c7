import { Redis } from "ioredis";
import { eventLines } from "../conductor/tally.ts";
import { endWithParent } from "./end-with-parent.ts";

/*
 * What people write by hand to publish fast: pipelines of some hundred messages, two of them under way. The messages
 * are made before; in frames they are as long as the publisher's. It tells on its channel how many events went out a
 * second.
 * Arguments: URL, channel, events, events in a message.
 */
const PIPELINE_BYTES = 128 * 1_024;
const IN_FLIGHT = 2;

const [url = "", channel = "", events = "", batch = ""] = process.argv.slice(2);
endWithParent();
const redis = new Redis(url);
await redis.ping();
const messages = messagesOf(eventLines(), Number(batch));
const total = Math.ceil(Number(events) / Number(batch));
const each = Math.max(Math.floor(PIPELINE_BYTES / Buffer.byteLength(messages[0] ?? "")), 1);

const began = performance.now();
const flying: Promise<unknown>[] = [];
for (let sent = 0; sent < total;) {
  const pipeline = redis.pipeline();
  for (const end = Math.min(sent + each, total); sent < end; sent++) {
    pipeline.publish(channel, messages[sent % messages.length] ?? "");
  }
  flying.push(pipeline.exec());
  if (flying.length === IN_FLIGHT) await flying.shift();
}
await Promise.all(flying);
const elapsedMs = performance.now() - began;
process.send?.({ eventsPerSecond: (Number(events) * 1_000) / elapsedMs });
process.disconnect();
redis.disconnect();

function messagesOf(lines: readonly string[], size: number): readonly string[] {
  if (size === 1) return lines;
  const header = `#millrace/1 00000000-0000-4000-8000-000000000000.0 1000000 ${size} 1763848800123`;
  const frames = Math.floor(lines.length / size);
  return Array.from({ length: frames }, (_, i) =>
    [header, ...lines.slice(i * size, (i + 1) * size)].join("\n"),
  );
}
