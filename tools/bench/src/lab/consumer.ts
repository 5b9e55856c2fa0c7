import { startProcess } from "@millrace/local-redis/programs";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "./contenders.ts";

const POLL_MS = 20;
/** A consumer is done when for this time it used no more than a tick of the kernel's clock, or its idle share. */
const QUIET_MS = 300;
/** The kernel reports times in hundredths of a second, on every Linux. */
const TICK_MICROS = 10_000;
const LOG_TAIL_LENGTH = 2_000;
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

/**
 * A process that consumes events and prints rows, one JSON object a line. It ends when its standard input or its channel to
 * this process ends: none stays alive after this process, however that ends.
 */
export class Consumer {
  readonly #process: StartedProgram;
  /** Rejects when the process ends, with the end of its log. */
  readonly ended: Promise<never>;

  /** @param onRow called with each line of its output, as it comes */
  constructor({ file, args, env }: Command, onRow: (line: string) => void) {
    this.#process = startProcess(file, args, { ...(env && { env }), holdInput: true, onOutput: onRow });
    this.ended = this.#process.ended.then(({ log, complaints }) => {
      const text = [...log.map(({ msg }) => msg), ...complaints].join(" ").slice(-LOG_TAIL_LENGTH);
      throw new Error(`A consumer ended by itself. The end of its log: ${text || "nothing"}`);
    });
    // It matters only while the consumer is used.
    this.ended.catch(() => undefined);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** @throws Error if the process has ended, or this is not Linux */
  async usage(): Promise<Usage> {
    const read = (file: string): Promise<string> =>
      readFile(`/proc/${this.#process.pid ?? 0}/${file}`, "utf8");
    try {
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
    } catch (cause) {
      if (existsSync("/proc/self/stat")) return this.ended;
      throw new Error("What a process uses is read from /proc: this benchmark needs Linux.", { cause });
    }
  }

  /**
   * Resolves when it has nothing left to do, with what it had used when it last worked.
   *
   * @param idling share of a core that it takes even then
   */
  async quiet(idling = 0): Promise<Usage> {
    const idleMicros = TICK_MICROS + idling * QUIET_MS * 1_000;
    let last = await this.usage();
    while (performance.now() - last.at < QUIET_MS) {
      await delay(POLL_MS);
      const usage = await this.usage();
      if (usage.cpuMicros > last.cpuMicros + idleMicros) last = usage;
    }
    return last;
  }

  /** Pauses the process: events that arrive from now on wait in Redis. @returns a function that resumes it */
  async pause(): Promise<() => void> {
    return pause(this.#process.pid);
  }
}

/** A shell pauses the process until its own input ends, which it does also when this process is killed. */
const PAUSE = `trap '' HUP INT TERM; kill -STOP "$0"; echo; read -r _; kill -CONT "$0"`;

export async function pause(pid = 0): Promise<() => void> {
  const shell = spawn("sh", ["-c", PAUSE, String(pid)], { stdio: ["pipe", "pipe", "ignore"] });
  await once(shell.stdout, "data");
  return () => {
    shell.stdin.end();
  };
}
