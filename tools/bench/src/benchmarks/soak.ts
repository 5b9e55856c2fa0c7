import { setTimeout as delay } from "node:timers/promises";
import type { Benchmark, Case, Figures, Run } from "../benchmark.ts";
import { publish } from "../lab/bed.ts";
import { millrace } from "../lab/contenders.ts";
import { runTrial } from "../lab/trial.ts";
import type { Job } from "../lab/trial.ts";
import { usageOf } from "../lab/usage.ts";
import { median } from "../statistics.ts";
import { CONTENDER, figures, readable, targets, times } from "../table.ts";

const MINUTES = 10;
/** Events per second. */
const RATE = 50_000;
/** Of that rate. */
const LEAST_RATE = 0.98;
const SAMPLES = 200;
/** Samples in a tenth of the run show how much memory is in use. */
const TENTH = SAMPLES / 10;

/** Whether memory grows over a long time. As good as flat: a heap goes up and down by a tenth. */
export const soak: Benchmark = {
  name: "soak",
  description: `Runs publisher and aggregator for ${MINUTES} minutes (times --scale), and shows whether memory grows.`,
  rounds: 1,
  groups: [
    {
      cases: [
        steady("pubsub-frames", {
          load: { transport: "pubsub", batch: 64 },
          contender: millrace("Pub/Sub, frames of 64"),
        }),
        // Counted entries are removed, and so are rows that are no longer read: Redis must not grow either.
        steady("stream-on", {
          load: { transport: "stream", batch: 64 },
          contender: millrace(
            "Streams, exactly-once on",
            ["--sink=redis", "--trim", "--result-ttl=60s"],
            "redis",
          ),
        }),
      ],
    },
  ],
  columns: [
    CONTENDER,
    figures("events", ["events"], readable),
    figures("MiB early, late, peak", ["earlyMiB", "lateMiB", "peakMiB"], readable),
    figures("late to early", ["growth"], times),
    figures("the same of Redis", ["redisGrowth"], times),
    targets(),
  ],
};

function steady(name: string, job: Job): Case {
  return {
    name,
    choice: name,
    contender: job.contender.name,
    measure: (run) => soakOnce(run, job),
    targets: ["growth", "redisGrowth"].map((ratio) => ({ ratio, atMost: 1.1 })),
  };
}

/**
 * Sends events at a steady rate for a long time, and samples the memory of aggregator and Redis. "Early" is the second
 * tenth of the time, since the first one is the warm-up; "late" is the last one.
 *
 * @throws Error if events did not arrive at that rate, or rows do not add up
 */
async function soakOnce({ scale, signal }: Run, job: Job): Promise<Figures> {
  const seconds = MINUTES * 60 * scale;
  const events = Math.round(seconds * RATE);
  return runTrial(job, async ({ bed, pid, keepRows, counted }) => {
    const sent = publish(bed, job.load, events, { rate: RATE });
    const own: number[] = [];
    const redis: number[] = [];
    for (const began = performance.now(); own.length < SAMPLES;) {
      // At a random instant of its interval: otherwise all samples see windows and uncommitted data at the same age.
      const at = began + ((own.length + Math.random()) * seconds * 1_000) / SAMPLES;
      await delay(at - performance.now(), undefined, { signal });
      own.push((await usageOf(pid)).residentMiB);
      // The memory in use, not the resident memory, which varies by half with the allocator.
      const held = /^used_memory:(\d+)/m.exec(await bed.client.info("memory"))?.[1];
      redis.push(Number(held) / 2 ** 20);
      await keepRows();
    }
    const perSecond = await sent;
    if (!(perSecond >= RATE * LEAST_RATE))
      throw new Error(`Events came at ${perSecond} a second instead of ${RATE}.`);
    await counted([events]);
    const early = (samples: readonly number[]): number => median(samples.slice(TENTH, 2 * TENTH));
    const late = (samples: readonly number[]): number => median(samples.slice(-TENTH));
    return {
      events,
      earlyMiB: early(own),
      lateMiB: late(own),
      peakMiB: (await usageOf(pid)).peakMiB,
      growth: late(own) / early(own),
      redisGrowth: late(redis) / early(redis),
    };
  });
}
