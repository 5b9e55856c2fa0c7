import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Dataflow, IterableSource, SILENT_LOGGER, run } from "@millrace/dataflow";
import type { Sink } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";

const PAUSE_MS = 20;

/** Publishes the lines of a file at a steady rate. */
export async function publishSteadily(sink: Sink<string>, file: string, linesPerS: number): Promise<void> {
  const flow = new Dataflow("publish");
  flow.input("lines", new IterableSource(paced(file, (linesPerS * PAUSE_MS) / 1_000))).output("sink", sink);
  await run(flow, { logger: SILENT_LOGGER });
}

async function* paced(file: string, linesPerPause: number): AsyncGenerator<string> {
  let lines = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    yield line;
    lines += 1;
    if (lines % linesPerPause === 0) await delay(PAUSE_MS);
  }
}

/** The field by which a line is partitioned. */
export function zoneOf(row: string | Uint8Array): string {
  const decoded = clickCodec.decode(row);
  if (decoded.kind !== "event") throw new TypeError(`not a click: ${String(row)}`);
  return decoded.event.os_timezone;
}
