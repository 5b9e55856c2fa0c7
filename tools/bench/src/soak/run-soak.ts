import type { Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@millrace/dataflow";
import { allCounted } from "../conductor/all-counted.ts";
import type { Bed } from "../conductor/bed.ts";
import { Consumer } from "../conductor/consumer.ts";
import { keptRows } from "../conductor/kept-rows.ts";
import { listening } from "../conductor/listening.ts";
import { expectedTally } from "../conductor/tally.ts";
import { toldTargets } from "../rounds/targets.ts";
import type { Target, ToldTarget } from "../rounds/targets.ts";
import { median, rounded } from "../statistics.ts";
import { LatestRows } from "./latest-rows.ts";
import type { Soak } from "./soaks.ts";

/** Samples in a tenth of the run say where memory stands. */
const SAMPLES = 200;
const TENTH = SAMPLES / 10;
const WINDOW_MS = 1_000;
/** Of the rate that was asked for. */
const LEAST_RATE = 0.98;

/** How memory grows from early to late. */
export type SoakRatio = "growth" | "redisGrowth";

/** As good as flat: a heap breathes by so much. */
const TARGETS: readonly Target<SoakRatio>[] = [
  { ratio: "growth", atMost: 1.1 },
  { ratio: "redisGrowth", atMost: 1.1 },
];

/** What came of a soak. "Early" is its second tenth, since the first one warms up; "late" is its last. */
export interface SoakLine extends Readonly<Record<SoakRatio, number>> {
  readonly case: string;
  readonly contender: string;
  readonly minutes: number;
  readonly events: number;
  readonly earlyMiB: number;
  readonly lateMiB: number;
  readonly peakMiB: number;
  readonly earlyCpuMicrosPerEvent: number;
  readonly lateCpuMicrosPerEvent: number;
  readonly targets: readonly ToldTarget<SoakRatio>[];
}

interface Sample {
  readonly atMs: number;
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

/**
 * Lets events come steadily for a long time, and looks at what aggregator and Redis hold.
 *
 * @throws Error where events did not come at that rate, or rows do not add up
 */
export async function runSoak(bed: Bed, soak: Soak, settings: SoakSettings): Promise<SoakLine> {
  const { name, load, contender } = soak;
  const { minutes, rate } = settings;
  const events = Math.round(minutes * 60 * rate);
  const everyMs = (minutes * 60_000) / SAMPLES;
  const channel = bed.newChannel();
  const rows = new LatestRows();
  const command = contender.command({ bed, load, channel, windowMs: WINDOW_MS });
  const consumer = await Consumer.start(command, (line) => {
    rows.add(line);
  });
  const addKept = async (): Promise<void> => {
    if (contender.rows === "redis") rows.addAll(await keptRows(bed.client));
  };
  try {
    await listening(bed, load, channel, consumer);
    const published = bed.publish(load, channel, events, { rate });
    const sampled = samplesOf(bed, soak, consumer, settings, everyMs, addKept);
    // The publisher ends with the last sample; if it fails, it does so before.
    const [{ perSecond }, samples] = await Promise.all([published, sampled]);
    if (!(Number(perSecond) >= rate * LEAST_RATE)) {
      throw new Error(`Events came at ${String(perSecond)} a second instead of ${rate}.`);
    }
    const { peakMiB } = await consumer.quiet();
    await allCounted(contender.name, expectedTally([events]), async () => {
      await addKept();
      return rows.tally();
    });
    const early = samples.slice(TENTH, 2 * TENTH);
    const late = samples.slice(-TENTH);
    const ratios = {
      growth: rounded(memoryOf(late) / memoryOf(early)),
      redisGrowth: rounded(redisMemoryOf(late) / redisMemoryOf(early)),
    };
    return {
      case: name,
      contender: contender.name,
      minutes,
      events,
      earlyMiB: Math.round(memoryOf(early)),
      lateMiB: Math.round(memoryOf(late)),
      peakMiB: Math.round(peakMiB),
      ...ratios,
      earlyCpuMicrosPerEvent: rounded(cpuPerSecond(early) / Number(perSecond)),
      lateCpuMicrosPerEvent: rounded(cpuPerSecond(late) / Number(perSecond)),
      targets: toldTargets(TARGETS, ratios),
    };
  } finally {
    await consumer.stop();
    await bed.clear();
  }
}

async function samplesOf(
  bed: Bed,
  { name }: Soak,
  consumer: Consumer,
  { signal, logger }: SoakSettings,
  everyMs: number,
  onSample: () => Promise<void>,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const began = performance.now(); samples.length < SAMPLES;) {
    // At any moment of its interval, or all samples would see windows and what waits for a commit at the same age.
    const atMs = began + (samples.length + Math.random()) * everyMs;
    await delay(atMs - performance.now(), undefined, { signal });
    const { residentMiB, cpuMicros } = consumer.usage();
    samples.push({ atMs, residentMiB, cpuMicros, redisMiB: await heldByRedis(bed.client) });
    await onSample();
    if (samples.length % TENTH === 0) {
      const tenths = samples.length / TENTH;
      logger.info(
        { event: "soaking", case: name, tenths, residentMiB },
        `${name}: ${tenths} tenths over, ${Math.round(residentMiB)} MiB`,
      );
    }
  }
  return samples;
}

/** What it holds, not what its allocator keeps for it: that comes and goes by half. */
async function heldByRedis(client: Redis): Promise<number> {
  const bytes = /^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1];
  return Number(bytes) / 2 ** 20;
}

function memoryOf(samples: readonly Sample[]): number {
  return median(samples.map(({ residentMiB }) => residentMiB));
}

function redisMemoryOf(samples: readonly Sample[]): number {
  return median(samples.map(({ redisMiB }) => redisMiB));
}

/** CPU time, µs. */
function cpuPerSecond(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return ((last.cpuMicros - first.cpuMicros) * 1_000) / (last.atMs - first.atMs);
}
