import { setTimeout as delay } from "node:timers/promises";
import { Dataflow, IterableSource, SILENT_LOGGER, run } from "@millrace/dataflow";
import type { Sink } from "@millrace/dataflow";
import { clickCodec } from "@millrace/event-schema";
import { lineOf } from "../click.ts";
import type { TestEvent } from "../click.ts";

const PAUSE_MS = 20;
/** A sink that was away gets what it has missed not at once, but four times as fast. */
const HURRY = 4;

/** Publishes events at a steady rate until it is stopped. */
export class SteadyPublisher {
  /** Those that were given to the sink. */
  readonly published: TestEvent[] = [];
  /** Resolves when the sink is open. */
  readonly begun: Promise<void>;
  readonly #ended: Promise<unknown>;
  #begin: () => void = () => undefined;
  #stopped = false;

  /** @param events endless */
  constructor(sink: Sink<string>, events: Iterator<TestEvent>, perS: number) {
    const open = new Promise<void>((resolve) => {
      this.#begin = resolve;
    });
    const flow = new Dataflow("publish");
    flow
      .input("portions", new IterableSource(this.#paced(events, perS)))
      .flatMap("lines", (portion) => portion.map(lineOf))
      .output("sink", sink);
    this.#ended = run(flow, { logger: SILENT_LOGGER });
    this.begun = Promise.race([open, this.#ended.then(() => undefined)]);
    // It is awaited by `stop`.
    this.#ended.catch(() => undefined);
  }

  /** Resolves when the sink has everything. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
  }

  async *#paced(events: Iterator<TestEvent>, perS: number): AsyncGenerator<readonly TestEvent[]> {
    this.#begin();
    const began = performance.now();
    const most = (HURRY * perS * PAUSE_MS) / 1_000;
    while (!this.#stopped) {
      await delay(PAUSE_MS);
      const due = ((performance.now() - began) * perS) / 1_000 - this.published.length;
      const portion: TestEvent[] = [];
      while (portion.length < Math.min(due, most)) {
        const next = events.next();
        if (next.done === true) return;
        portion.push(next.value);
      }
      this.published.push(...portion);
      yield portion;
    }
  }
}

/** The field by which a line is partitioned. */
export function zoneOf(row: string | Uint8Array): string {
  const decoded = clickCodec.decode(row);
  if (decoded.kind !== "event") throw new TypeError(`not a click: ${String(row)}`);
  return decoded.event.os_timezone;
}
