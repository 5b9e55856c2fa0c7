import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Figures } from "../benchmark.ts";

/** Headings of figures that are compared. */
export const CPU = "CPU µs/event";
export const CPU_RATE = "events per CPU second";
export const RATE = "events/s";

const POLL_MS = 20;
/** A process is done when for this time it used no more than a tick of the kernel's clock, or its idle share. */
const QUIET_MS = 300;
/** The kernel reports times in hundredths of a second, on every Linux. */
const TICK_MICROS = 10_000;
/** Of the fields after the name: the 4th of all is the parent, the 14th and 15th are user and kernel time. */
const PARENT = 1;
const USER_TICKS = 11;
const KERNEL_TICKS = 12;
/** How much further the same times of children that have ended are. */
const ENDED = 2;

/** Resources that a process has used so far, with all threads and kernel time. */
export interface Usage {
  readonly cpuMicros: number;
  /** The most memory that it ever held. */
  readonly peakMiB: number;
  /** The memory that it holds now. */
  readonly residentMiB: number;
  /** `performance.now()` */
  readonly at: number;
}

/** @throws Error if a process has ended, or this is not Linux. @returns what they use together */
export async function usageOf(pids: readonly number[]): Promise<Usage> {
  const usages = await Promise.all(pids.map(usageOfOne));
  const sum = (figure: keyof Usage): number => usages.reduce((total, usage) => total + usage[figure], 0);
  return {
    cpuMicros: sum("cpuMicros"),
    peakMiB: sum("peakMiB"),
    residentMiB: sum("residentMiB"),
    at: performance.now(),
  };
}

/** A process, and those that it has started. */
export async function familyOf(pid: number): Promise<readonly number[]> {
  const all = (await readdir("/proc")).map(Number).filter((each) => each > 0);
  const parents = await Promise.all(all.map((each) => fieldsOf(each).catch(() => [])));
  return [pid, ...all.filter((_, i) => Number(parents[i]?.[PARENT]) === pid)];
}

/** How long the main threads of processes have run, and how long they waited for a core while they could have run, ns. */
export interface Turns {
  readonly ranNs: number;
  readonly waitedNs: number;
}

/** @throws Error if a process has ended, or this is not Linux */
export async function turnsOf(pids: readonly number[]): Promise<Turns> {
  const all = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/schedstat`, "utf8")));
  const fields = all.map((each) => each.split(" ").map(Number));
  const sum = (at: number): number => fields.reduce((total, each) => total + (each[at] ?? Number.NaN), 0);
  return { ranNs: sum(0), waitedNs: sum(1) };
}

/** Of the time in which they had something to do, the share in which they had no core. */
export function waitedShare(before: Turns, after: Turns): number {
  const waited = after.waitedNs - before.waitedNs;
  return waited / (waited + after.ranNs - before.ranNs);
}

/** What processes have used that this one had started, and that have ended. */
export async function endedCpuMicros(): Promise<number> {
  const fields = await fieldsOf(process.pid);
  return (Number(fields[USER_TICKS + ENDED]) + Number(fields[KERNEL_TICKS + ENDED])) * TICK_MICROS;
}

/** The fields of `/proc/<pid>/stat` after the name, which may hold anything. */
async function fieldsOf(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

async function usageOfOne(pid: number): Promise<Usage> {
  const [fields, status] = await Promise.all([fieldsOf(pid), readFile(`/proc/${pid}/status`, "utf8")]);
  const mebibytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) / 1_024;
  return {
    cpuMicros: (Number(fields[USER_TICKS]) + Number(fields[KERNEL_TICKS])) * TICK_MICROS,
    peakMiB: mebibytes("VmHWM"),
    residentMiB: mebibytes("VmRSS"),
    at: performance.now(),
  };
}

/**
 * Resolves when processes have nothing left to do, with what they had used when they last worked.
 *
 * @param idling share of a core that they take even then
 */
export async function quiet(pids: readonly number[], idling = 0): Promise<Usage> {
  const idleMicros = TICK_MICROS + idling * QUIET_MS * 1_000;
  let last = await usageOf(pids);
  while (performance.now() - last.at < QUIET_MS) {
    await delay(POLL_MS);
    const usage = await usageOf(pids);
    if (usage.cpuMicros > last.cpuMicros + idleMicros) last = usage;
  }
  return last;
}

/** The figures of a program that counted events. */
export function perEvent(events: number, cpuMicros: number, elapsedMs: number, peakMiB: number): Figures {
  return {
    [CPU]: cpuMicros / events,
    [CPU_RATE]: (events * 1e6) / cpuMicros,
    [RATE]: (events * 1_000) / elapsedMs,
    "peak MiB": peakMiB,
  };
}
