import { setTimeout as delay } from "node:timers/promises";
import type { Benchmark, Case, Figures, Run } from "../benchmark.ts";
import { FRAMES } from "../lab/bed.ts";
import type { Load } from "../lab/bed.ts";
import { millrace, publish } from "../lab/programs.ts";
import type { Contender } from "../lab/programs.ts";
import { runTrial } from "../lab/trial.ts";
import { usageOf } from "../lab/usage.ts";
import { median } from "../statistics.ts";

const GROWTH = "late to early";
const REDIS_GROWTH = "the same of Redis";
const MINUTES = 10;
/** Events per second. */
const RATE = 50_000;
/** Of that rate. */
const LEAST_RATE = 0.98;
const SAMPLES = 200;
/** Samples in a tenth of the run show how much memory is in use. */
const TENTH = SAMPLES / 10;
const STREAM: Load = { ...FRAMES, transport: "stream" };
/** Counted entries are removed, and so are rows that are no longer read: Redis must not grow either. */
const TRIMMED = ["--sink=redis", "--trim", "--result-ttl=60s"];

/** Whether memory grows over a long time. As good as flat: a heap goes up and down by a tenth. */
export const soak: Benchmark = {
  name: "soak",
  description: `Runs publisher and aggregator for ${MINUTES} minutes (times --scale), and shows whether memory grows.`,
  rounds: 1,
  groups: [
    {
      name: "all",
      cases: [
        steady("pubsub-frames", FRAMES, millrace("Pub/Sub, frames of 64")),
        steady("stream-on", STREAM, millrace("Streams, exactly-once on", TRIMMED, "redis")),
      ],
    },
  ],
};

function steady(name: string, load: Load, contender: Contender): Case {
  return {
    name,
    contender: contender.name,
    measure: (run) => soakOnce(run, load, contender),
    ratios: [GROWTH, REDIS_GROWTH].map((heading) => ({ heading, atMost: 1.1 })),
  };
}

/**
 * Sends events at a steady rate for a long time, and samples the memory of aggregator and Redis. "Early" is the second
 * tenth of the time, since the first one is the warm-up; "late" is the last one.
 *
 * @throws Error if events did not arrive at that rate, or rows do not add up
 */
async function soakOnce({ scale, signal }: Run, load: Load, contender: Contender): Promise<Figures> {
  const seconds = MINUTES * 60 * scale;
  const events = Math.round(seconds * RATE);
  return runTrial(contender, load, async ({ bed, pid, keepRows, counted }) => {
    const sent = publish(bed, load, events, { rate: RATE });
    const own: number[] = [];
    const redis: number[] = [];
    for (const began = performance.now(); own.length < SAMPLES;) {
      // At a random instant of its interval: otherwise all samples see windows and uncommitted data at the same age.
      const at = began + ((own.length + Math.random()) * seconds * 1_000) / SAMPLES;
      await delay(at - performance.now(), undefined, { signal });
      own.push((await usageOf([pid])).residentMiB);
      // The memory in use, not the resident memory, which varies by half with the allocator.
      const held = /^used_memory:(\d+)/m.exec(await bed.client.info("memory"))?.[1];
      redis.push(Number(held) / 2 ** 20);
      await keepRows();
    }
    const perSecond = await sent;
    if (!(perSecond >= RATE * LEAST_RATE)) throw new Error(`The rate was ${perSecond} instead of ${RATE}.`);
    await counted([events]);
    const early = (samples: readonly number[]): number => median(samples.slice(TENTH, 2 * TENTH));
    const late = (samples: readonly number[]): number => median(samples.slice(-TENTH));
    return {
      events,
      "MiB early": early(own),
      "MiB late": late(own),
      "peak MiB": (await usageOf([pid])).peakMiB,
      [GROWTH]: late(own) / early(own),
      [REDIS_GROWTH]: late(redis) / early(redis),
    };
  });
}
