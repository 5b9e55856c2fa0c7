import { allCounted } from "./all-counted.ts";
import type { Bed, Load } from "./bed.ts";
import { Consumer } from "./consumer.ts";
import type { Quiet } from "./consumer.ts";
import type { Contender, Measurement } from "./contender.ts";
import { keptRows } from "./kept-rows.ts";
import { listening } from "./listening.ts";
import type { ProcessUsage } from "./process-usage.ts";
import { expectedTally, tallyOf } from "./tally.ts";

/** Short enough to close soon after the last event. */
const WINDOW_MS = 1_000;
/** What the rows of the last window may take, and is not counted: so much, or a share of what was measured. */
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
    const quiet = await consumer.quiet(contender.idling);
    const expected = expectedTally([warmUpEvents, events]);
    const rows = contender.rows === "redis" ? () => keptRows(bed.client) : () => Promise.resolve(lines);
    await allCounted(contender.name, expected, async () => tallyOf(await rows()));
    const end = atEnd(before, quiet, { ...consumer.usage(), at: performance.now() }, contender.idling);
    return {
      cpuMicrosPerEvent: (end.cpuMicros - before.cpuMicros) / events,
      eventsPerSecond: (events * 1_000) / (end.at - began),
      rssMiB: quiet.peakMiB,
    };
  } finally {
    await consumer.stop();
    await bed.clear();
  }
}

/** When it really was done: it may have been kept waiting for so long that it only seemed so. */
function atEnd(before: ProcessUsage, quiet: Quiet, now: Quiet, idling = 0): Quiet {
  const idle = idling * (now.at - quiet.at) * 1_000;
  const afterwards = now.cpuMicros - quiet.cpuMicros - idle;
  const most = Math.max(AFTERWARDS_MICROS, (quiet.cpuMicros - before.cpuMicros) * AFTERWARDS_SHARE);
  return afterwards > most ? { ...now, cpuMicros: now.cpuMicros - idle } : quiet;
}
