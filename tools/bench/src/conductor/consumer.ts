import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { pause } from "./pause.ts";
import { usageOf } from "./process-usage.ts";
import type { ProcessUsage } from "./process-usage.ts";

/** How a consumer is started. */
export interface ConsumerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const POLL_MS = 20;
/** A consumer that used no more than a tick of the kernel's clock, or what it takes idling, for so long is done. */
const QUIET_MS = 300;
const TICK_MICROS = 10_000;
const STOP_TIMEOUT_MS = 10_000;
const LOG_TAIL_LENGTH = 2_000;

/** When a consumer had done its work. */
export interface Quiet extends ProcessUsage {
  /** `performance.now()` when it last worked. */
  readonly at: number;
}

/**
 * A process that consumes events and prints rows, one JSON object a line. It ends when told by SIGTERM, and when its
 * standard input or its channel to this process does: none is left behind, however this one ends.
 */
export class Consumer {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #over = false;
  #resume: (() => void) | undefined;
  #log = "";

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.#ended = new Promise((resolve) => {
      child.once("close", () => {
        this.#over = true;
        resolve();
      });
    });
    child.stderr?.on("data", (data: Buffer) => {
      this.#log = (this.#log + data.toString()).slice(-LOG_TAIL_LENGTH);
    });
  }

  /** @param onRow called with each line of its output, as it comes */
  static async start(command: ConsumerCommand, onRow: (line: string) => void): Promise<Consumer> {
    const { file, args, env } = command;
    const child = spawn(file, args, {
      env: { ...process.env, NODE_OPTIONS: undefined, ...env },
      stdio: ["pipe", "pipe", "pipe", "ipc"],
    });
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    const { pid, stdout } = child;
    if (pid === undefined || stdout === null) throw new Error(`${file} did not start.`);
    createInterface({ input: stdout, crlfDelay: Infinity }).on("line", onRow);
    return new Consumer(child, pid);
  }

  usage(): ProcessUsage {
    this.throwIfEnded();
    return usageOf(this.pid);
  }

  /** What arrives meanwhile waits in Redis. */
  pause(): void {
    this.#resume = pause(this.#child);
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
  async quiet(idling = 0): Promise<Quiet> {
    const idleMicros = TICK_MICROS + idling * QUIET_MS * 1_000;
    let last = { ...this.usage(), at: performance.now() };
    for (let base = last.cpuMicros; performance.now() - last.at < QUIET_MS;) {
      await delay(POLL_MS);
      const usage = this.usage();
      if (usage.cpuMicros <= base + idleMicros) continue;
      base = usage.cpuMicros;
      last = { ...usage, at: performance.now() };
    }
    const usage = this.usage();
    const idleSince = idling * (performance.now() - last.at) * 1_000;
    return { ...usage, cpuMicros: Math.max(usage.cpuMicros - idleSince, last.cpuMicros), at: last.at };
  }

  /** @throws Error that quotes what the consumer said last */
  throwIfEnded(): void {
    if (this.#over)
      throw new Error(`A consumer ended unasked. The last it said: ${this.#log.trim() || "nothing"}`);
  }

  /** Ends it; resolves when it is gone and its rows are all here. */
  async stop(): Promise<void> {
    this.resume();
    if (this.#over) return;
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(late);
  }
}
