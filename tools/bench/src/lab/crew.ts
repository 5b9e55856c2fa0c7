import { setTimeout as delay } from "node:timers/promises";
import { startProgram } from "@millrace/local-redis/programs";
import type { StartedProgram } from "@millrace/local-redis/programs";
import type { Bed, Load } from "./bed.ts";
import { programFile } from "./programs.ts";

const POLL_MS = 10;
const SETTLE_TIMEOUT_MS = 120_000;

/** How workers share partitions. */
export interface Sharing {
  /** Leases in Redis, or a group of Kafka. */
  readonly by: "leases" | "group";
  /** Of a lease, or a group's session. */
  readonly leaseMs: number;
}

/** A worker, and when it began to join, by the clock of this machine. */
export interface Worker {
  readonly program: StartedProgram;
  joinedAt: number;
}

/** A partition at a worker. */
export interface Holding {
  readonly worker: Worker;
  readonly since: number;
  /** The first commit since then; `undefined`: none so far. */
  committedAt: number | undefined;
}

/** Workers that share the partitions of a load, and what each of them says. All times are `Date.now()`. */
export class Crew {
  readonly #bed: Bed;
  readonly #load: Load;
  readonly #sharing: Sharing;
  readonly #workers: Worker[] = [];
  readonly #holdings = new Map<string, Holding>();

  /** A worker has ended that was not asked to. */
  #failure: Error | undefined;

  constructor(bed: Bed, load: Load, sharing: Sharing) {
    this.#bed = bed;
    this.#load = load;
    this.#sharing = sharing;
  }

  /** The one that has been there for the longest time. */
  get oldest(): Worker {
    const [worker] = this.#workers;
    if (worker === undefined) throw new Error("The crew has no worker.");
    return worker;
  }

  start(): Worker {
    const { by, leaseMs } = this.#sharing;
    const { url, broker } = this.#bed;
    const { partitions = 1, partitionBy = "" } = this.#load;
    const args = [url, broker, by, leaseMs, partitions, partitionBy].map(String);
    const onOutput = (line: string): void => {
      this.#hear(worker, line);
    };
    const program = startProgram(programFile("sharing-worker"), { args, onOutput });
    const worker: Worker = { program, joinedAt: Number.NaN };
    this.#bed.programs.push(program);
    this.#workers.push(worker);
    void program.ended.then(({ code, complaints }) => {
      if (this.#workers.includes(worker))
        this.#failure = new Error(`A worker ended with exit code ${String(code)}: ${complaints.join(" ")}`);
    });
    return worker;
  }

  /** Sends a signal that ends a worker. @returns when */
  end(worker: Worker, signal: NodeJS.Signals): number {
    const at = Date.now();
    worker.program.kill(signal);
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    return at;
  }

  partsOf(worker: Worker): readonly string[] {
    return [...this.#holdings].filter(([, holding]) => holding.worker === worker).map(([part]) => part);
  }

  holdingsOf(parts: readonly string[]): readonly Holding[] {
    return parts.flatMap((part) => this.#holdings.get(part) ?? []);
  }

  /** Resolves when every partition is with a live worker, none of which has too many, and has been committed by it. */
  async settled(): Promise<void> {
    const { partitions = 1 } = this.#load;
    const most = Math.ceil(partitions / this.#workers.length);
    for (const deadline = performance.now() + SETTLE_TIMEOUT_MS; ;) {
      if (this.#failure !== undefined) throw this.#failure;
      const sizes = this.#workers.map((worker) => {
        const holdings = this.holdingsOf(this.partsOf(worker));
        return holdings.every(({ committedAt }) => committedAt !== undefined) ? holdings.length : Infinity;
      });
      const owned = sizes.reduce((sum, size) => sum + size, 0);
      if (owned === partitions && sizes.every((size) => size <= most)) return;
      if (performance.now() > deadline)
        throw new Error(
          `The workers have ${this.#workers.map((worker) => this.partsOf(worker).length).join(", ")} of ${partitions} partitions.`,
        );
      await delay(POLL_MS);
    }
  }

  #hear(worker: Worker, line: string): void {
    const [time, what, part = ""] = line.split(" ");
    const at = Number(time);
    const holding = this.#holdings.get(part);
    if (what === "joining") worker.joinedAt = at;
    else if (what === "assigned") this.#holdings.set(part, { worker, since: at, committedAt: undefined });
    else if (holding?.worker !== worker) return;
    else if (what === "gone") this.#holdings.delete(part);
    else holding.committedAt ??= at;
  }
}
