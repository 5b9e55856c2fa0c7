import { setTimeout as delay } from "node:timers/promises";
import type { Benchmark, Case, Figures, Run } from "../benchmark.ts";
import type { Usage } from "../lab/consumer.ts";
import { millrace } from "../lab/contenders.ts";
import { runTrial } from "../lab/trial.ts";
import type { Job, Trial } from "../lab/trial.ts";
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

/** Whether memory or cost grows over a long time. As good as flat: a heap goes up and down by a tenth. */
export const soak: Benchmark = {
  name: "soak",
  description: `Runs publisher and aggregator for ${MINUTES} minutes (times --scale), and shows whether memory or cost grows.`,
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
    figures("CPU µs/event early, late", ["earlyCpuMicrosPerEvent", "lateCpuMicrosPerEvent"]),
  ],
};

function steady(name: string, job: Job): Case {
  return {
    case: name,
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
async function soakOnce(run: Run, job: Job): Promise<Figures> {
  const seconds = MINUTES * 60 * run.scale;
  const events = Math.round(seconds * RATE);
  return runTrial(run, job, async (trial) => {
    const [perSecond, samples] = await Promise.all([
      trial.publish(events, RATE),
      samplesOf(trial, run, (seconds * 1_000) / SAMPLES),
    ]);
    if (!(perSecond >= RATE * LEAST_RATE)) {
      throw new Error(`Events came at ${perSecond} a second instead of ${RATE}.`);
    }
    await trial.counted([events]);
    const [early, late] = [samples.slice(TENTH, 2 * TENTH), samples.slice(-TENTH)];
    const memory = (some: readonly Sample[], of: "residentMiB" | "redisMiB"): number =>
      median(some.map((sample) => sample[of]));
    return {
      events,
      earlyMiB: memory(early, "residentMiB"),
      lateMiB: memory(late, "residentMiB"),
      peakMiB: (await trial.consumer.usage()).peakMiB,
      growth: memory(late, "residentMiB") / memory(early, "residentMiB"),
      redisGrowth: memory(late, "redisMiB") / memory(early, "redisMiB"),
      earlyCpuMicrosPerEvent: cpuPerSecond(early) / perSecond,
      lateCpuMicrosPerEvent: cpuPerSecond(late) / perSecond,
    };
  });
}

interface Sample extends Usage {
  readonly redisMiB: number;
}

async function samplesOf(
  { bed, consumer, keepRows }: Trial,
  { signal, logger }: Run,
  everyMs: number,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const began = performance.now(); samples.length < SAMPLES;) {
    // At a random instant of its interval: otherwise all samples see windows and uncommitted data at the same age.
    const at = began + (samples.length + Math.random()) * everyMs;
    await delay(at - performance.now(), undefined, { signal });
    const usage = await consumer.usage();
    // The memory in use, not the resident memory, which varies by half with the allocator.
    const held = /^used_memory:(\d+)/m.exec(await bed.client.info("memory"))?.[1];
    samples.push({ ...usage, redisMiB: Number(held) / 2 ** 20 });
    await keepRows();
    if (samples.length % TENTH > 0) continue;
    const [tenths, mebibytes] = [samples.length / TENTH, Math.round(usage.residentMiB)];
    logger.info({ event: "soaking", tenths, mebibytes }, `${tenths} tenths over, ${mebibytes} MiB`);
  }
  return samples;
}

/** CPU time, µs. */
function cpuPerSecond(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return ((last.cpuMicros - first.cpuMicros) * 1_000) / (last.at - first.at);
}
