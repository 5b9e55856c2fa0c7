import { startProcess } from "@millrace/local-redis/programs";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "./programs.ts";

const POLL_MS = 20;
/** A consumer is done when for this time it used no more than a tick of the kernel's clock, or its idle share. */
const QUIET_MS = 300;
/** The kernel reports times in hundredths of a second, on every Linux. */
const TICK_MICROS = 10_000;
const STOP_TIMEOUT_MS = 10_000;
const LOG_TAIL_LENGTH = 2_000;

/** Resources that a process has used so far, with all threads and kernel time. */
export interface Usage {
  readonly cpuMicros: number;
  /** The most memory that it ever held. */
  readonly peakMiB: number;
  /** The memory that it holds now. */
  readonly residentMiB: number;
  /** `performance.now()` when it last worked. */
  readonly at: number;
}

/**
 * A process that consumes events and prints rows, one JSON object a line. It ends at SIGTERM, and when its standard
 * input or its channel to this process ends: none stays alive after this process, however that ends.
 */
export class Consumer {
  readonly #process: StartedProgram;
  readonly #ended: Promise<void>;
  #failure: Error | undefined;
  #resume: (() => void) | undefined;

  /** @param onRow called with each line of its output, as it comes */
  constructor({ file, args, env }: Command, onRow: (line: string) => void) {
    this.#process = startProcess(file, args, { ...(env && { env }), holdInput: true, onOutput: onRow });
    this.#ended = this.#process.ended.then(
      ({ log, complaints }) => {
        const text = [...log.map(({ msg }) => msg), ...complaints].join(" ").slice(-LOG_TAIL_LENGTH);
        this.#failure = new Error(`A consumer ended by itself. The end of its log: ${text || "nothing"}`);
      },
      (cause: unknown) => {
        this.#failure = new Error(`A consumer did not start: ${String(cause)}`, { cause });
      },
    );
  }

  usage(): Usage {
    this.throwIfEnded();
    return usageOf(this.#process.pid ?? 0);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Pauses the process: events that arrive from now on wait in Redis. */
  pause(): void {
    this.#resume = pause(this.#process);
  }

  resume(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  /**
   * Resolves when it has nothing left to do, with what it has used since it was started.
   *
   * @param idling share of a core that it takes even then, and that is not counted
   */
  async quiet(idling = 0): Promise<Usage> {
    const idleMicros = TICK_MICROS + idling * QUIET_MS * 1_000;
    let last = this.usage();
    for (let base = last.cpuMicros; performance.now() - last.at < QUIET_MS;) {
      await delay(POLL_MS);
      const usage = this.usage();
      if (usage.cpuMicros <= base + idleMicros) continue;
      base = usage.cpuMicros;
      last = usage;
    }
    const usage = this.usage();
    const idleSince = idling * (usage.at - last.at) * 1_000;
    return { ...usage, cpuMicros: Math.max(usage.cpuMicros - idleSince, last.cpuMicros), at: last.at };
  }

  /** @throws Error that quotes the end of its log */
  throwIfEnded(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the process; resolves when it has ended and all its rows were read. */
  async stop(): Promise<void> {
    this.resume();
    this.kill("SIGTERM");
    const late = setTimeout(() => {
      this.kill("SIGKILL");
    }, STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(late);
  }
}

/**
 * A shell with a pipe to this process. A line on it means that the child was resumed; end of file means that this process has
 * died (kill -9 included). Without it a paused child would stay paused for ever, since it cannot see the end of its input.
 */
const WAKE_AT_END = `trap '' HUP INT TERM; read -r _ || kill -CONT "$0"`;

interface Pausable {
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): unknown;
}

/** Pauses a child process, at most until the end of this process. @returns a function that resumes it */
export function pause(child: Pausable): () => void {
  const guard = spawn("sh", ["-c", WAKE_AT_END, String(child.pid)], { stdio: ["pipe", "ignore", "ignore"] });
  guard.stdin.on("error", () => undefined);
  child.kill("SIGSTOP");
  return () => {
    child.kill("SIGCONT");
    guard.stdin.end("\n");
  };
}

/** Fields after the name, which may hold anything: the 14th and 15th of all are user and kernel time. */
const USER_TICKS = 11;
const KERNEL_TICKS = 12;

/** @throws Error where there is no such process, or no `/proc` */
function usageOf(pid: number): Usage {
  const [stat, status] = [procFile(pid, "stat"), procFile(pid, "status")];
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

function procFile(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (cause) {
    const why = "it has ended, or this is not Linux, which these benchmarks need";
    throw new Error(`What process ${pid} uses cannot be read from /proc: ${why}.`, { cause });
  }
}
