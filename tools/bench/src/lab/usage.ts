import { readFile } from "node:fs/promises";
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
/** Fields after the name, which may hold anything: the 14th and 15th of all are user and kernel time. */
const USER_TICKS = 11;
const KERNEL_TICKS = 12;

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

/** @throws Error if the process has ended, or this is not Linux */
export async function usageOf(pid: number): Promise<Usage> {
  const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, "utf8");
  const [stat, status] = await Promise.all([read("stat"), read("status")]);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
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
 * Resolves when a process has nothing left to do, with what it had used when it last worked.
 *
 * @param idling share of a core that it takes even then
 */
export async function quiet(pid: number, idling = 0): Promise<Usage> {
  const idleMicros = TICK_MICROS + idling * QUIET_MS * 1_000;
  let last = await usageOf(pid);
  while (performance.now() - last.at < QUIET_MS) {
    await delay(POLL_MS);
    const usage = await usageOf(pid);
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
