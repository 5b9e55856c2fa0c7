import type { Case, Figures, Run } from "../benchmark.ts";
import type { Bed, Load } from "../lab/bed.ts";
import { publish } from "../lab/programs.ts";
import type { Contender } from "../lab/programs.ts";
import { runTrial, WARM_UP_EVENTS } from "../lab/trial.ts";
import { endedCpuMicros, quiet, usageOf } from "../lab/usage.ts";

/** What an event costs at each of the parts that it passes: publisher, Redis, aggregator. */
export function chain(name: string, load: Load, contender: Contender): Case {
  return { name, contender: contender.name, measure: (run) => measureChain(run, load, contender) };
}

/** The aggregator is paused while the events are published, so that what Redis does for each of the two shows. */
function measureChain({ scale }: Run, load: Load, contender: Contender): Promise<Figures> {
  const few = Math.ceil(WARM_UP_EVENTS * scale);
  const events = Math.ceil(load.events * scale);
  return runTrial(contender, load, async ({ bed, program, pid, counted }) => {
    const begin = await endedCpuMicros();
    await publish(bed, load, few);
    const beginOfPublisher = (await endedCpuMicros()) - begin;
    await counted([few]);
    await quiet([pid]);
    const before = await usageOf([pid]);
    program.kill("SIGSTOP");
    const start = { redis: await usageOfRedis(bed), publishers: await endedCpuMicros() };
    await publish(bed, load, events);
    const published = { redis: await usageOfRedis(bed), publishers: await endedCpuMicros() };
    program.kill("SIGCONT");
    const after = await quiet([pid]);
    const read = await usageOfRedis(bed);
    await counted([few, events]);
    return {
      // Without its start, which costs as much as many events.
      "publisher µs/event": (published.publishers - start.publishers - beginOfPublisher) / (events - few),
      "Redis, writing": (published.redis.cpuMicros - start.redis.cpuMicros) / events,
      "Redis, reading and commits": (read.cpuMicros - published.redis.cpuMicros) / events,
      aggregator: (after.cpuMicros - before.cpuMicros) / events,
      "bytes into Redis": (published.redis.bytesIn - start.redis.bytesIn) / events,
      "bytes out of it": (read.bytesOut - published.redis.bytesOut) / events,
    };
  });
}

interface RedisUsage {
  readonly cpuMicros: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

async function usageOfRedis({ client }: Bed): Promise<RedisUsage> {
  const info = await client.info("all");
  const field = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1]);
  return {
    cpuMicros: (field("used_cpu_user") + field("used_cpu_sys")) * 1e6,
    bytesIn: field("total_net_input_bytes"),
    bytesOut: field("total_net_output_bytes"),
  };
}
