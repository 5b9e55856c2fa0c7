import type { StartedProgram } from "@millrace/local-redis/programs";
import { setTimeout as delay } from "node:timers/promises";
import type { Case, Figures, Ratio, Run } from "../benchmark.ts";
import { withBed } from "./bed.ts";
import type { Bed, Load } from "./bed.ts";
import { publish } from "./programs.ts";
import type { Contender } from "./programs.ts";
import { wrongCount } from "./tally.ts";
import { familyOf, perEvent, quiet, usageOf } from "./usage.ts";

/** Events of the warm-up, so that code is compiled and memory has its final size. */
export const WARM_UP_EVENTS = 200_000;
/** Long enough for a window that is still open, and its waiting time, on a machine that is busy. */
const COUNTED_TIMEOUT_MS = 120_000;
const POLL_MS = 50;
const LOG_TAIL_LENGTH = 2_000;
const LOG_DELAY_MS = 300;

/** The case of a contender that counts the events of a load. */
export function counting(name: string, load: Load, contender: Contender, ...ratios: Ratio[]): Case {
  return { name, contender: contender.name, measure: (run) => measureOnce(run, contender, load), ratios };
}

/**
 * Measures one contender once, in a process of its own: the resources for counting a number of events that are already in
 * Redis. They were published while it was paused, so that the publisher's rate and CPU time have no effect, and all
 * contenders get the same input.
 *
 * @throws Error if the rows do not add up: a wrong result must not have a measurement
 */
function measureOnce({ scale }: Run, contender: Contender, load: Load): Promise<Figures> {
  const { idling = 0, share = 1 } = contender;
  const warmUp = Math.ceil(WARM_UP_EVENTS * scale * share);
  const events = Math.ceil(load.events * scale * share);
  return runTrial(contender, load, async ({ bed, pid, counted }) => {
    await publish(bed, load, warmUp);
    // One that has to find its place in a group may be quiet before it begins.
    if (load.transport === "kafka" || contender.processes !== undefined) await counted([warmUp]);
    const pids = await familyOf(pid);
    await quiet(pids, idling);
    const before = await usageOf(pids);
    const resume = (): void => {
      for (const each of pids) process.kill(each, "SIGCONT");
    };
    for (const each of pids) process.kill(each, "SIGSTOP");
    // An interrupted benchmark must not leave a paused process, which cannot see that this one has ended.
    process.once("exit", resume);
    await publish(bed, load, events);
    process.off("exit", resume);
    const began = performance.now();
    resume();
    let done = await quiet(pids, idling);
    // On a busy machine it may not have had its turn yet.
    while (done.cpuMicros <= before.cpuMicros) done = await quiet(pids, idling);
    await counted([warmUp, events]);
    // It may have worked since: to close the last window, or after a wait for a core. One that never rests is not charged
    // for the wait.
    const { cpuMicros, peakMiB } = idling > 0 ? done : await usageOf(pids);
    return perEvent(events, cpuMicros - before.cpuMicros, done.at - began, peakMiB);
  });
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

/**
 * Runs a contender for as long as it is used.
 *
 * @param onRow called with each row on its standard output when it arrives
 * @throws Error if it ends before, with the end of its log
 */
export async function runTrial<T>(
  contender: Contender,
  load: Load,
  use: (trial: Trial) => Promise<T>,
  onRow?: (row: string) => void,
): Promise<T> {
  return withBed(async (bed) => {
    const rows = new Map<string, string>();
    const onOutput = (row: string): void => {
      onRow?.(row);
      rows.set(String(rows.size), row);
    };
    const program = contender.start(bed, load, { onOutput });
    bed.programs.push(program);
    const ended = program.ended.then(({ log, complaints }) => {
      const text = [...log.map(({ msg }) => msg), ...complaints].join(" ").slice(-LOG_TAIL_LENGTH);
      throw new Error(`${contender.name} ended by itself. The end of its log: ${text || "nothing"}`);
    });
    const keepRows = async (): Promise<void> => {
      if (contender.rows === "redis") await keepRowsOf(bed, rows);
    };
    const counted = (publications: readonly number[]): Promise<void> =>
      untilCounted(contender.name, publications, async () => {
        await keepRows();
        return rows.values();
      });
    const { pid = 0 } = program;
    const used = use({ bed, program, pid, keepRows, counted }).catch(async (error: unknown) => {
      // If the program has ended, its log has the reason.
      await delay(LOG_DELAY_MS);
      throw error;
    });
    return Promise.race([used, ended]);
  }, load);
}

/** Adds the rows that are in Redis now. */
export async function keepRowsOf({ client }: Bed, rows: Map<string, string>): Promise<void> {
  for (const name of await client.keys("millrace:*:results:out:*")) {
    if ((await client.type(name)) !== "hash") continue;
    for (const [field, row] of Object.entries(await client.hgetall(name))) rows.set(`${name} ${field}`, row);
  }
}

/** Resolves when all rows of these publications are there. @throws Error if they do not add up after a while */
export async function untilCounted(
  name: string,
  publications: readonly number[],
  rowsNow: () => Promise<Iterable<string>>,
): Promise<void> {
  for (const deadline = performance.now() + COUNTED_TIMEOUT_MS; ;) {
    const wrong = wrongCount(publications, await rowsNow());
    if (wrong === undefined) return;
    if (performance.now() > deadline) throw new Error(`${name} is wrong: ${wrong}.`);
    await delay(POLL_MS);
  }
}
