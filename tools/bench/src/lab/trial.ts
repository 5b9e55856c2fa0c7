import type { StartedProgram } from "@millrace/local-redis/programs";
import { setTimeout as delay } from "node:timers/promises";
import type { Figures, Run } from "../benchmark.ts";
import { publish, withBed } from "./bed.ts";
import type { Bed, Load } from "./bed.ts";
import { selfMeasured } from "./contenders.ts";
import type { Contender } from "./contenders.ts";
import { wrongCount } from "./tally.ts";
import { quiet, usageOf } from "./usage.ts";

/** Headings of figures that are compared. */
export const CPU = "CPU µs/event";
export const CPU_RATE = "events per CPU second";
export const RATE = "events/s";

/** Events of the warm-up, so that code is compiled and memory has its final size. */
const WARM_UP_EVENTS = 200_000;
/** Long enough for a window that is still open, and for its waiting time. */
const COUNTED_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const LOG_TAIL_LENGTH = 2_000;
const LOG_DELAY_MS = 300;

/** A program, and how it gets its events. */
export interface Job {
  readonly load: Load;
  readonly contender: Contender;
}

/**
 * Measures one contender once, in a process of its own: the resources for counting a number of events that are already in
 * Redis. They were published while it was paused, so that the publisher's rate and CPU time have no effect, and all
 * contenders get the same input.
 *
 * @param all events without those of the warm-up
 * @throws Error if the rows do not add up: a wrong result must not have a measurement
 */
export async function measure({ scale }: Run, job: Job, all: number): Promise<Figures> {
  const { idling = 0, share = 1 } = job.contender;
  const scaled = (number: number): number => Math.ceil(number * scale * share);
  const [warmUp, events] = [scaled(WARM_UP_EVENTS), scaled(all)] as const;
  return runTrial(job, async ({ bed, program, pid, counted }) => {
    await publish(bed, job.load, warmUp);
    await quiet(pid, idling);
    const before = await usageOf(pid);
    const resume = (): void => {
      program.kill("SIGCONT");
    };
    program.kill("SIGSTOP");
    // An interrupted benchmark must not leave a paused process, which cannot see that this one has ended.
    process.once("exit", resume);
    await publish(bed, job.load, events);
    process.off("exit", resume);
    const began = performance.now();
    resume();
    const done = await quiet(pid, idling);
    await counted([warmUp, events]);
    // It may have worked since: to close the last window, or after a wait for a core. One that never rests is not charged
    // for the wait.
    const end = idling > 0 ? done : await usageOf(pid);
    return perEvent(events, end.cpuMicros - before.cpuMicros, done.at - began, end.peakMiB);
  });
}

/** Measures the loop that parses and counts over lines in memory, in a process of its own: nothing is received. */
export async function measureFloor({ scale }: Run, all: number): Promise<Figures> {
  const [warmUp, events] = [Math.ceil(WARM_UP_EVENTS * scale), Math.ceil(all * scale)] as const;
  const { cpuMicros, elapsedMs, peakMiB } = await selfMeasured("floor", [warmUp, events]);
  return perEvent(events, cpuMicros, elapsedMs, peakMiB);
}

function perEvent(events: number, cpuMicros = NaN, elapsedMs = NaN, peakMiB = NaN): Figures {
  return {
    [CPU]: cpuMicros / events,
    [CPU_RATE]: (events * 1e6) / cpuMicros,
    [RATE]: (events * 1_000) / elapsedMs,
    "peak MiB": peakMiB,
  };
}

/** A contender that runs, and what is done with it. */
export interface Trial {
  readonly bed: Bed;
  readonly program: StartedProgram;
  readonly pid: number;
  /** Remembers the rows that are in Redis now, which removes those of past windows after a time. */
  readonly keepRows: () => Promise<void>;
  /** Resolves when all rows of these publications are there. @throws Error if they do not add up */
  readonly counted: (publications: readonly number[]) => Promise<void>;
}

/** Runs a contender for as long as it is used. @throws Error if it ends before, with the end of its log */
export async function runTrial<T>({ load, contender }: Job, use: (trial: Trial) => Promise<T>): Promise<T> {
  return withBed(async (bed) => {
    const rows = new Map<string, string>();
    const onOutput = (row: string): unknown => rows.set(String(rows.size), row);
    const program = contender.start(bed, load, { holdInput: true, onOutput });
    bed.programs.push(program);
    const ended = program.ended.then(({ log, complaints }) => {
      const text = [...log.map(({ msg }) => msg), ...complaints].join(" ").slice(-LOG_TAIL_LENGTH);
      throw new Error(`${contender.name} ended by itself. The end of its log: ${text || "nothing"}`);
    });
    const keepRows = async (): Promise<void> => {
      if (contender.rows !== "redis") return;
      for (const name of await bed.client.keys("millrace:*:results:out:*")) {
        if ((await bed.client.type(name)) !== "hash") continue;
        const found = Object.entries(await bed.client.hgetall(name));
        for (const [field, row] of found) rows.set(`${name} ${field}`, row);
      }
    };
    const counted = async (publications: readonly number[]): Promise<void> => {
      for (const deadline = performance.now() + COUNTED_TIMEOUT_MS; ;) {
        await keepRows();
        const wrong = wrongCount(publications, rows.values());
        if (wrong === undefined) return;
        if (performance.now() > deadline) throw new Error(`${contender.name} is wrong: ${wrong}.`);
        await delay(POLL_MS);
      }
    };
    const { pid = 0 } = program;
    const used = use({ bed, program, pid, keepRows, counted }).catch(async (error: unknown) => {
      // If the program has ended, its log has the reason.
      await delay(LOG_DELAY_MS);
      throw error;
    });
    return Promise.race([used, ended]);
  });
}
