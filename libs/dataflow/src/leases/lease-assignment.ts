import { randomUUID } from "node:crypto";
import type { AssignedTasks, Assignment, AssignmentContext, Membership } from "../contracts/assignment.ts";
import { FlowError } from "../errors.ts";
import { pause } from "../runtime/waiting.ts";
import type { LeaseTable, LeaseTableContext, WorkerShare } from "./lease-table.ts";

/** Options of an assignment by leases. */
export interface LeaseOptions {
  /**
   * How long (ms) a worker keeps its tasks without a heartbeat: so long the tasks of a worker that crashed stand still. Ten
   * heartbeats are sent in that time. `@default 10_000`
   */
  readonly leaseMs?: number;
}

/** The default options of an assignment by leases. */
export const DEFAULT_LEASE_OPTIONS: Required<LeaseOptions> = Object.freeze({ leaseMs: 10_000 });

/** The shortest lease: a heartbeat every 50 ms. */
const SHORTEST_LEASE_MS = 500;
const BEATS_PER_LEASE = 10;

/** Shares tasks among workers by leases in a table that all of them reach. */
export class LeaseAssignment implements Assignment {
  readonly shared = true;
  readonly #open: (context: LeaseTableContext, worker: string) => LeaseTable;
  readonly #leaseMs: number;

  /**
   * @param open opens the table for one worker
   * @throws FlowError for a lease that is too short
   */
  constructor(open: (context: LeaseTableContext, worker: string) => LeaseTable, options: LeaseOptions = {}) {
    this.#open = open;
    this.#leaseMs = options.leaseMs ?? DEFAULT_LEASE_OPTIONS.leaseMs;
    if (!(this.#leaseMs >= SHORTEST_LEASE_MS) || this.#leaseMs === Infinity) {
      throw new FlowError(
        `the lease of a worker is ${this.#leaseMs} ms, but must be from ${SHORTEST_LEASE_MS} ms on, and finite`,
      );
    }
  }

  async join(
    parts: readonly string[],
    tasks: AssignedTasks,
    context: AssignmentContext,
  ): Promise<Membership> {
    const worker = randomUUID();
    const table = this.#open({ ...context, parts }, worker);
    const membership = new LeaseMembership(worker, table, tasks, this.#leaseMs, context);
    await membership.begin();
    return membership;
  }
}

/** A part that the worker has. Each time that it gets it, that is another lease. */
interface Held {
  /** When the part is released, or lost on the way; `undefined`: it is not to be released. */
  releasing: Promise<void> | undefined;
}

class LeaseMembership implements Membership {
  readonly #worker: string;
  readonly #table: LeaseTable;
  readonly #tasks: AssignedTasks;
  readonly #leaseMs: number;
  readonly #context: AssignmentContext;
  readonly #held = new Map<string, Held>();
  /** Parts released since the last heartbeat was sent: its answer may still name them. */
  readonly #released = new Set<string>();
  /** Called when a heartbeat that was sent after now is answered. */
  #confirms: (() => void)[] = [];
  #cancelExpiry: (() => void) | undefined;
  #left: Promise<void> | undefined;
  #beat = new AbortController();
  readonly #ended = new AbortController();

  constructor(
    worker: string,
    table: LeaseTable,
    tasks: AssignedTasks,
    leaseMs: number,
    context: AssignmentContext,
  ) {
    this.#worker = worker;
    this.#table = table;
    this.#tasks = tasks;
    this.#leaseMs = leaseMs;
    this.#context = context;
    const giveUp = (): void => {
      void this.#end();
    };
    context.signal.addEventListener("abort", giveUp);
  }

  /** Joins. @throws what the table throws */
  async begin(): Promise<void> {
    try {
      const pauseMs = await this.#exchange();
      void this.#beats(pauseMs);
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  async confirm(part: string): Promise<boolean> {
    if (!this.#over) {
      await new Promise<void>((resolve) => {
        this.#confirms.push(resolve);
        this.#beat.abort();
      });
    }
    const held = this.#held.get(part);
    return held !== undefined && held.releasing === undefined && !this.#over;
  }

  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    // The others see at once that they are to have more.
    this.#beat.abort();
    await Promise.all([...this.#held].map(([part, held]) => this.#release(part, held)));
    this.#stop();
    try {
      await this.#table.leave(this.#worker);
    } finally {
      await this.#end();
    }
  }

  /** Exchanges heartbeats until the membership ends. */
  async #beats(firstPauseMs: number): Promise<void> {
    const { signal } = this.#ended;
    let pauseMs = firstPauseMs;
    try {
      for (;;) {
        await pause(this.#context.time, pauseMs, AbortSignal.any([this.#beat.signal, signal]));
        if (signal.aborted) return;
        pauseMs = await this.#exchange();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** One heartbeat. @returns the time until the next one, ms */
  async #exchange(): Promise<number> {
    const { time } = this.#context;
    const sentAt = time.monotonic();
    const confirms = this.#confirms;
    this.#confirms = [];
    this.#beat = new AbortController();
    this.#released.clear();
    const leaving = this.#left !== undefined;
    const share = await this.#table.beat({ worker: this.#worker, leaseMs: this.#leaseMs, leaving });
    if (this.#over) return 0;
    const leftMs = sentAt + this.#leaseMs - time.monotonic();
    if (leftMs <= 0) {
      // The answer is so old that it may be true no more.
      this.#loseAll();
      this.#confirms.push(...confirms);
      return 0;
    }
    this.#cancelExpiry?.();
    this.#cancelExpiry = time.wakeAfter(leftMs, this.#loseAll);
    this.#apply(share);
    for (const confirm of confirms) confirm();
    const beatMs = this.#leaseMs / BEATS_PER_LEASE;
    return share.formingMs > 0 ? Math.min(share.formingMs, beatMs) : beatMs;
  }

  #apply({ owned, atMost }: WorkerShare): void {
    const named = new Set(owned);
    for (const part of this.#held.keys()) if (!named.has(part)) this.#lose(part);
    if (this.#left !== undefined) return;
    for (const part of owned) {
      if (this.#held.has(part) || this.#released.has(part)) continue;
      this.#held.set(part, { releasing: undefined });
      this.#tasks.assigned(part);
    }
    const kept = [...this.#held].filter(([, { releasing }]) => releasing === undefined);
    for (const [part, held] of kept.slice(atMost)) void this.#release(part, held);
  }

  /** Another worker is to have it: first it is finished here, then the table says so. */
  #release(part: string, held: Held): Promise<void> {
    held.releasing ??= this.#finishAndRelease(part, held);
    return held.releasing;
  }

  async #finishAndRelease(part: string, held: Held): Promise<void> {
    await this.#tasks.revoked(part);
    if (this.#held.get(part) !== held || this.#over) return;
    try {
      await this.#table.release(this.#worker, part);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#held.get(part) !== held) return;
    this.#held.delete(part);
    this.#released.add(part);
  }

  #lose(part: string): void {
    this.#held.delete(part);
    this.#tasks.lost(part);
  }

  /** By this worker's own clock the lease is over: also a worker that cannot reach the table stops. */
  readonly #loseAll = (): void => {
    if (this.#held.size === 0) return;
    this.#context.logger.warn(
      { event: "lease-over", worker: this.#worker, leaseMs: this.#leaseMs },
      `no heartbeat was answered for ${this.#leaseMs} ms: this worker gives up its ${this.#held.size} partitions until one is`,
    );
    for (const part of [...this.#held.keys()]) this.#lose(part);
  };

  /** The table refuses for good, unless the membership is over and its connection closed. */
  #fail(error: unknown): void {
    if (this.#over) return;
    this.#tasks.failed(error instanceof Error ? error : new Error(String(error)));
  }

  get #over(): boolean {
    return this.#ended.signal.aborted;
  }

  /** No more heartbeats. */
  #stop(): void {
    this.#cancelExpiry?.();
    this.#ended.abort();
    for (const confirm of this.#confirms.splice(0)) confirm();
  }

  async #end(): Promise<void> {
    this.#stop();
    await this.#table.close();
  }
}
