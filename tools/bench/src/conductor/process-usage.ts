import { readFileSync } from "node:fs";

/** What a process has used so far, by the kernel's account: all of its threads, kernel time included. */
export interface ProcessUsage {
  readonly cpuMicros: number;
  /** The most memory that it ever held. */
  readonly peakMiB: number;
  /** The memory that it holds now. */
  readonly residentMiB: number;
}

/** The kernel tells times in hundredths of a second, on every Linux there is. */
const MICROS_PER_TICK = 10_000;
/** Fields behind the name, which may hold anything: the 14th and 15th of all are user and kernel time. */
const USER_TICKS = 11;
const KERNEL_TICKS = 12;

/** @throws Error where there is no such process, or no `/proc` */
export function usageOf(pid: number): ProcessUsage {
  const stat = read(pid, "stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = read(pid, "status");
  return {
    cpuMicros: (Number(fields[USER_TICKS]) + Number(fields[KERNEL_TICKS])) * MICROS_PER_TICK,
    peakMiB: mebibytes(status, "VmHWM"),
    residentMiB: mebibytes(status, "VmRSS"),
  };
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (cause) {
    throw new Error(
      `What process ${pid} uses cannot be read from /proc: it has ended, or this is not Linux, which these benchmarks need.`,
      { cause },
    );
  }
}

function mebibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) / 1_024;
}
