import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Dataflow, IterableSource, SILENT_LOGGER, run } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";
import { RedisStreamSink } from "@millrace/redis-source";
import type { RedisConnectionOptions } from "@millrace/redis-source";
import { CHANNEL } from "../names.ts";

const PAUSE_MS = 20;

/** How a file is published. */
export interface SteadyOptions {
  readonly partitions: number;
  readonly linesPerS: number;
  /** Whether events are numbered. Without numbers one that is sent again counts twice. */
  readonly frames: boolean;
}

/** Publishes the lines of a file at a steady rate, divided by their key. @returns how many it had to send again */
export async function publishSteadily(
  redis: RedisConnectionOptions,
  file: string,
  { partitions, linesPerS, frames }: SteadyOptions,
): Promise<number> {
  const flow = new Dataflow("publish");
  const sink = new RedisStreamSink(redis, {
    stream: CHANNEL,
    partitions,
    partitionedBy: "os_timezone",
    keyOf: zoneOf,
    ...(frames ? { batch: 16 } : {}),
  });
  flow
    .input("lines", new IterableSource(paced(file, (linesPerS * PAUSE_MS) / 1_000)))
    .flatMap((lines) => lines)
    .output("redis", sink);
  await run(flow, { logger: SILENT_LOGGER });
  return sink.stats().resent;
}

async function* paced(file: string, linesPerPause: number): AsyncGenerator<readonly string[]> {
  let lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    lines.push(line);
    if (lines.length < linesPerPause) continue;
    yield lines;
    lines = [];
    await delay(PAUSE_MS);
  }
  if (lines.length > 0) yield lines;
}

function zoneOf(row: string | Uint8Array): string {
  const decoded = clickCodec.decode(row);
  if (decoded.kind !== "event") throw new TypeError(`not a click: ${String(row)}`);
  return decoded.event.os_timezone;
}
