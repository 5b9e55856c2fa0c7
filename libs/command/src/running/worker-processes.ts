import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setMaxListeners } from "node:events";
import { EXIT_CODES } from "@millrace/cli";
import { MillraceError, SYSTEM_TIME, pause } from "@millrace/dataflow";
import type { FlowStats, Logger, TaskStats } from "@millrace/dataflow";
import { WORKER_VARIABLE } from "../options/share-options.ts";
import type { RunOfProcesses } from "./run-of-processes.ts";
import { WholeLines } from "./whole-lines.ts";
import { isWorkerMessage } from "./worker-messages.ts";

const STOP_SIGNAL = "SIGTERM";
/** A process that fails so soon (ms) after the start would do so again: a mistake in the options, or no Redis. */
const START_MS = 10_000;
/** Pauses (ms) before a process is started again; after the last one it is given up. */
const RESTART_PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000];
/** A process that ran for so long (ms) is started again as if it had never failed. */
const CALM_MS = 60_000;

/** A process that shares the work failed, and is not started again. */
export class WorkerProcessError extends MillraceError {
  static readonly code = "MILLRACE_WORKER_PROCESS_FAILED";
  readonly code = WorkerProcessError.code;
}

/** How a process ended. Without code and signal: it could not be started. */
interface Ended {
  readonly code: number | null;
  readonly killedBy: string | null;
}

/** What came of all processes. */
export interface Outcome {
  /** Of all processes that ended by themselves; `undefined`: of none. */
  readonly stats: FlowStats | undefined;
  /** Processes that ended without figures, since they crashed. */
  readonly crashes: number;
  readonly failure: WorkerProcessError | undefined;
}

/** The same command in several processes of this machine. One that dies is started again. */
export class WorkerProcesses {
  readonly #logger: Logger;
  readonly #shown: RunOfProcesses;
  readonly #pids: Set<number>;
  readonly #node: string;
  readonly #stop = new AbortController();
  readonly #children = new Set<ChildProcess>();
  readonly #reports: FlowStats[] = [];
  #crashes = 0;
  #failure: WorkerProcessError | undefined;

  /**
   * @param shown gets what the processes send of their runs
   * @param pids gets the id of each process that is started
   * @param node the program that runs them
   */
  constructor(logger: Logger, shown: RunOfProcesses, pids: Set<number>, node: string = process.execPath) {
    this.#node = node;
    this.#logger = logger;
    this.#shown = shown;
    this.#pids = pids;
  }

  /** Runs so many processes until the signal is aborted, or one fails for good, and waits until all have ended. */
  async run(count: number, signal: AbortSignal): Promise<Outcome> {
    const stop = (): void => {
      this.#stopAll();
    };
    if (signal.aborted) stop();
    // Each process has a pipe to it; that many listeners are no leak.
    setMaxListeners(0, process.stdout);
    signal.addEventListener("abort", stop);
    await Promise.all(Array.from({ length: count }, (_, index) => this.#keep(index + 1)));
    signal.removeEventListener("abort", stop);
    return { stats: together(this.#reports), crashes: this.#crashes, failure: this.#failure };
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #stopAll(): void {
    this.#stop.abort();
    for (const child of this.#children) child.kill(STOP_SIGNAL);
  }

  /** Keeps one process running. */
  async #keep(number: number): Promise<void> {
    let failures = 0;
    for (let first = true; !this.#isStopped(); first = false) {
      const began = SYSTEM_TIME.monotonic();
      const { code, killedBy } = await this.#start(number);
      // A process that is stopped before it listens to signals is ended by this one.
      if (code === EXIT_CODES.ok || (this.#isStopped() && killedBy === STOP_SIGNAL)) return;
      const ranMs = SYSTEM_TIME.monotonic() - began;
      const how =
        killedBy !== null
          ? `was ended by ${killedBy}`
          : code === null
            ? "could not be started"
            : `ended with exit code ${code}`;
      failures = ranMs >= CALM_MS ? 1 : failures + 1;
      const pauseMs = RESTART_PAUSES_MS[failures - 1];
      const atStart = first && killedBy === null && ranMs < START_MS;
      if (this.#isStopped() || atStart || code === EXIT_CODES.usage || pauseMs === undefined) {
        const times = failures > 1 ? `, the ${failures}th time in a row` : "";
        this.#failure ??= new WorkerProcessError(
          `process ${number} ${how}${times}; its log says why, and the other processes were stopped`,
        );
        this.#stopAll();
        return;
      }
      this.#logger.warn(
        { event: "process-died", process: number, code, signal: killedBy, pauseMs },
        `process ${number} ${how}: it is started again in ${pauseMs} ms, and the others take over when its lease is over`,
      );
      await pause(SYSTEM_TIME, pauseMs, this.#stop.signal);
    }
  }

  /** @returns how it ended */
  async #start(number: number): Promise<Ended> {
    const child = fork(process.argv[1] ?? "", process.argv.slice(2), {
      execPath: this.#node,
      env: { ...process.env, [WORKER_VARIABLE]: String(number) },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      // Figures may be infinite, which JSON has no number for.
      serialization: "advanced",
    });
    this.#children.add(child);
    const { pid } = child;
    if (pid !== undefined) {
      this.#pids.add(pid);
      this.#logger.info({ event: "process-started", process: number, pid }, `process ${number} started`);
    }
    const lines = new WholeLines();
    child.stdout?.pipe(lines).pipe(process.stdout, { end: false });
    const reports: FlowStats[] = [];
    child.on("message", (message) => {
      if (!isWorkerMessage(message)) return;
      if (message.kind === "report") reports.push(message.stats);
      else this.#shown.take(number, message);
    });
    const ended = await new Promise<Ended>((resolve) => {
      child.on("close", (code, killedBy) => {
        resolve({ code, killedBy });
      });
      child.on("error", (error) => {
        const event = child.pid === undefined ? "process-not-started" : "process-error";
        this.#logger.error({ event, process: number }, `process ${number}: ${error.message}`);
        if (child.pid === undefined) resolve({ code: null, killedBy: null });
      });
    });
    this.#children.delete(child);
    this.#shown.end(number);
    this.#reports.push(...reports);
    if (reports.length === 0) this.#crashes += 1;
    return ended;
  }
}

/** The figures of all processes: a task that was in several of them is there several times, each with its own counts. */
function together(reports: readonly FlowStats[]): FlowStats | undefined {
  const [first] = reports;
  return first && { flow: first.flow, tasks: reports.flatMap(({ tasks }): readonly TaskStats[] => tasks) };
}
