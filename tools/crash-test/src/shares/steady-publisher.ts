import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Dataflow, IterableSource, SILENT_LOGGER, run } from "@millrace/dataflow";
import type { Sink } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";

const PAUSE_MS = 20;

/** Publishes the lines of a file at a steady rate. */
export class SteadyPublisher {
  /** Resolves when the first line may be published, since the sink is open; rejects as `ended`. */
  readonly begun: Promise<void>;
  /** Resolves when all lines are published. */
  readonly ended: Promise<void>;
  #lines = 0;
  #begin: () => void = () => undefined;

  constructor(sink: Sink<string>, file: string, linesPerS: number) {
    const open = new Promise<void>((resolve) => {
      this.#begin = resolve;
    });
    const flow = new Dataflow("publish");
    const lines = this.#paced(file, Math.ceil((linesPerS * PAUSE_MS) / 1_000));
    flow.input("lines", new IterableSource(lines)).output("sink", sink);
    this.ended = run(flow, { logger: SILENT_LOGGER }).then(() => undefined);
    this.begun = Promise.race([open, this.ended]);
    // It is awaited later on.
    this.ended.catch(() => undefined);
  }

  /** Lines that were given to the sink. */
  get lines(): number {
    return this.#lines;
  }

  async *#paced(file: string, linesPerPause: number): AsyncGenerator<string> {
    this.#begin();
    for await (const line of createInterface({ input: createReadStream(file) })) {
      yield line;
      this.#lines += 1;
      if (this.#lines % linesPerPause === 0) await delay(PAUSE_MS);
    }
  }
}

/** The field by which a line is partitioned. */
export function zoneOf(row: string | Uint8Array): string {
  const decoded = clickCodec.decode(row);
  if (decoded.kind !== "event") throw new TypeError(`not a click: ${String(row)}`);
  return decoded.event.os_timezone;
}
