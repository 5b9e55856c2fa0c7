import { setTimeout as delay } from "node:timers/promises";
import type { StartedProgram } from "@millrace/local-redis/programs";
import type { Case, Figures, Ratio, Run } from "../benchmark.ts";
import { CHANNEL, withBed } from "../lab/bed.ts";
import type { Bed } from "../lab/bed.ts";
import { endedCpuMicros } from "../lab/usage.ts";

const CPU_MS = "CPU ms";
const WALL_MS = "ms";
/** In a turn: the kernel counts CPU time in hundredths of a second. */
const STARTS = 10;
const POLL_MS = 2;
export const TO_BARE: Ratio = { heading: "CPU to bare ioredis", of: CPU_MS, to: "start-bare" };

/** From the start of a process until Redis has its subscription; then it is killed. */
export function subscribing(
  name: string,
  contender: string,
  start: (bed: Bed) => StartedProgram,
  ...ratios: Ratio[]
): Case {
  const until = async ({ client }: Bed): Promise<void> => {
    const subscribers = async (): Promise<unknown> => (await client.pubsub("NUMSUB", CHANNEL))[1];
    while ((await subscribers()) === 0) await delay(POLL_MS);
  };
  return { name, contender, measure: (run) => measureStarts(run, start, until), ratios };
}

/** From the start of a process until it has ended by itself. */
export function ending(name: string, contender: string, start: (bed: Bed) => StartedProgram): Case {
  const until = async (_bed: Bed, { ended }: StartedProgram): Promise<void> => {
    const { code, complaints } = await ended;
    if (code !== 0)
      throw new Error(`${contender} ended with exit code ${String(code)}: ${complaints.join(" ")}`);
  };
  return { name, contender, measure: (run) => measureStarts(run, start, until), ratios: [TO_BARE] };
}

function measureStarts(
  { scale }: Run,
  start: (bed: Bed) => StartedProgram,
  until: (bed: Bed, program: StartedProgram) => Promise<void>,
): Promise<Figures> {
  return withBed(async (bed) => {
    const starts = Math.max(1, Math.round(STARTS * scale));
    let elapsedMs = 0;
    const before = await endedCpuMicros();
    for (let turn = 0; turn < starts; turn++) {
      const began = performance.now();
      const program = start(bed);
      bed.programs.push(program);
      await until(bed, program);
      elapsedMs += performance.now() - began;
      program.kill("SIGKILL");
      await program.ended;
      while (Number((await bed.client.pubsub("NUMSUB", CHANNEL))[1]) > 0) await delay(POLL_MS);
    }
    const cpuMicros = (await endedCpuMicros()) - before;
    return { [WALL_MS]: elapsedMs / starts, [CPU_MS]: cpuMicros / starts / 1_000 };
  });
}
