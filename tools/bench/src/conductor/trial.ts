import { allCounted } from "./all-counted.ts";
import type { Bed, Load } from "./bed.ts";
import { Consumer } from "./consumer.ts";
import type { Contender, Measurement } from "./contender.ts";
import { keptRows } from "./kept-rows.ts";
import { listening } from "./listening.ts";
import { expectedTally, tallyOf } from "./tally.ts";

/** Short enough to close soon after the last event. */
const WINDOW_MS = 1_000;
/** What may be used afterwards, for the rows of the last window: so much, or a share of what was measured. */
const AFTERWARDS_MICROS = 100_000;
const AFTERWARDS_SHARE = 0.1;

/** How many events a trial takes. */
export interface TrialSize {
  /** Measured. */
  readonly events: number;
  /** Before those, so that code is compiled and memory has its size. */
  readonly warmUpEvents: number;
}

/**
 * Measures one contender once, in a process of its own: what it spends from when it finds a number of events in Redis
 * until it has counted them all. They were published while it stood still, so that neither the publisher's pace nor
 * its hunger for the processor tells on the figures, and everybody is fed alike.
 *
 * @throws Error where the rows do not add up: a figure for a wrong result is none
 */
export async function measure(
  bed: Bed,
  load: Load,
  contender: Contender,
  size: TrialSize,
): Promise<Measurement> {
  const share = contender.share ?? 1;
  const events = Math.ceil(size.events * share);
  const warmUpEvents = Math.ceil(size.warmUpEvents * share);
  const channel = bed.newChannel();
  const lines: string[] = [];
  const consumer = await Consumer.start(
    contender.command({ bed, load, channel, windowMs: WINDOW_MS }),
    (line) => lines.push(line),
  );
  try {
    await listening(bed, load, channel, consumer);
    await bed.publish(load, channel, warmUpEvents);
    const before = await consumer.quiet(contender.idling);
    consumer.pause();
    await bed.publish(load, channel, events);
    const began = performance.now();
    consumer.resume();
    const after = await consumer.quiet(contender.idling);
    const expected = expectedTally([warmUpEvents, events]);
    const rows = contender.rows === "redis" ? () => keptRows(bed.client) : () => Promise.resolve(lines);
    await allCounted(contender.name, expected, async () => tallyOf(await rows()));
    const cpuMicros = after.cpuMicros - before.cpuMicros;
    const idle = (contender.idling ?? 0) * (performance.now() - after.at) * 1_000;
    const afterwards = consumer.usage().cpuMicros - after.cpuMicros - idle;
    if (afterwards > Math.max(AFTERWARDS_MICROS, cpuMicros * AFTERWARDS_SHARE)) {
      throw new Error(`${contender.name} stood still for a while, and went on when it had been measured.`);
    }
    return {
      cpuMicrosPerEvent: cpuMicros / events,
      eventsPerSecond: (events * 1_000) / (after.at - began),
      rssMiB: after.peakMiB,
    };
  } finally {
    await consumer.stop();
    await bed.clear();
  }
}
