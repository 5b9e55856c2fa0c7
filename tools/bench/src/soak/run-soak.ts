import { setInterval as every } from "node:timers/promises";
import type { Logger } from "@millrace/dataflow";
import type { Bed } from "../conductor/bed.ts";
import { Consumer } from "../conductor/consumer.ts";
import { listening } from "../conductor/listening.ts";
import { usageOf } from "../conductor/process-usage.ts";
import { median, rounded } from "../statistics.ts";
import type { Soak } from "./soaks.ts";

/** Samples in a tenth of the run say where memory stands. */
const SAMPLES = 200;
const TENTH = SAMPLES / 10;
const WINDOW_MS = 1_000;

/** What came of a soak. "Early" is its second tenth, since the first one warms up; "late" is its last. */
export interface SoakLine {
  readonly case: string;
  readonly contender: string;
  readonly minutes: number;
  readonly events: number;
  readonly earlyMiB: number;
  readonly lateMiB: number;
  readonly peakMiB: number;
  /** Late memory against early. */
  readonly growth: number;
  /** The same of Redis. */
  readonly redisGrowth: number;
  readonly earlyCpuMicrosPerEvent: number;
  readonly lateCpuMicrosPerEvent: number;
}

interface Sample {
  readonly residentMiB: number;
  readonly redisMiB: number;
  readonly cpuMicros: number;
}

/** How a soak is run. */
export interface SoakSettings {
  readonly minutes: number;
  readonly rate: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Lets events come steadily for a long time, and looks at what aggregator and Redis hold. */
export async function runSoak(
  bed: Bed,
  { name, load, contender }: Soak,
  settings: SoakSettings,
): Promise<SoakLine> {
  const { minutes, rate, signal, logger } = settings;
  const events = Math.round(minutes * 60 * rate);
  const everyMs = (minutes * 60_000) / SAMPLES;
  const channel = bed.newChannel();
  const command = contender.command({ bed, load, channel, windowMs: WINDOW_MS });
  const consumer = await Consumer.start(command, () => undefined);
  try {
    await listening(bed, load, channel, consumer);
    const published = bed.publish(load, channel, events, { rate });
    published.catch(() => undefined);
    const samples: Sample[] = [];
    for await (const _ of every(everyMs)) {
      signal.throwIfAborted();
      const { residentMiB, cpuMicros } = consumer.usage();
      samples.push({ residentMiB, cpuMicros, redisMiB: usageOf(bed.redis.pid).residentMiB });
      if (samples.length % TENTH === 0) {
        const tenths = samples.length / TENTH;
        logger.info(
          { event: "soaking", case: name, tenths, residentMiB },
          `${name}: ${tenths} tenths over, ${Math.round(residentMiB)} MiB`,
        );
      }
      if (samples.length === SAMPLES) break;
    }
    await published;
    const { peakMiB } = await consumer.quiet();
    const early = samples.slice(TENTH, 2 * TENTH);
    const late = samples.slice(-TENTH);
    const eventsIn = (rate * everyMs * (TENTH - 1)) / 1_000;
    return {
      case: name,
      contender: contender.name,
      minutes,
      events,
      earlyMiB: Math.round(memoryOf(early)),
      lateMiB: Math.round(memoryOf(late)),
      peakMiB: Math.round(peakMiB),
      growth: rounded(memoryOf(late) / memoryOf(early)),
      redisGrowth: rounded(redisMemoryOf(late) / redisMemoryOf(early)),
      earlyCpuMicrosPerEvent: rounded(cpuOf(early) / eventsIn),
      lateCpuMicrosPerEvent: rounded(cpuOf(late) / eventsIn),
    };
  } finally {
    await consumer.stop();
    await bed.clear();
  }
}

function memoryOf(samples: readonly Sample[]): number {
  return median(samples.map(({ residentMiB }) => residentMiB));
}

function redisMemoryOf(samples: readonly Sample[]): number {
  return median(samples.map(({ redisMiB }) => redisMiB));
}

function cpuOf(samples: readonly Sample[]): number {
  return (samples.at(-1)?.cpuMicros ?? 0) - (samples[0]?.cpuMicros ?? 0);
}
