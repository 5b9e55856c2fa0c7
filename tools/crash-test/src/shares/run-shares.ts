import { setTimeout as delay } from "node:timers/promises";
import { EXIT_CODES } from "@millrace/cli";
import { inspectWorkers } from "@millrace/redis-store";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { endingOf, soon, DURABLE } from "../conductor/bed.ts";
import { compare } from "../conductor/compare.ts";
import { expectedOf } from "../conductor/expected.ts";
import { makeEvents } from "../conductor/make-events.ts";
import type { Random } from "../conductor/random.ts";
import { TestBed } from "../conductor/test-bed.ts";
import type { Guard } from "../guard.ts";
import { FLOW, WINDOW_MS } from "../names.ts";
import { judgeFence } from "./judge-fence.ts";
import type { Stall } from "./judge-fence.ts";
import { keepEvidence } from "./keep-evidence.ts";
import { publishSteadily } from "./publish-steadily.ts";
import { readShares } from "./read-shares.ts";

const PARTITIONS = 8;
/** For each trouble, so that there are events all the time. */
const EVENTS = 2_500;
const EVENTS_PER_S = 800;
const LEASE_MS = 1_000;
/** A worker that stalls so long has lost its partitions. */
const STALL_MS = 2.5 * LEASE_MS;
/** Until when every partition must have a live worker again, on a machine that may be busy, ms. */
const BOUND_MS = 8 * LEASE_MS;
/** Events are delayed by up to 10 s. Windows close all the time, since event time passes three times as fast as the clock. */
const ARGS = [
  `--partitions=${PARTITIONS}`,
  "--wait-ms=12000",
  "--commit-every-events=100",
  "--commit-every-ms=200",
];

/** What can happen to the workers. `gentle`: they join and leave, so that nothing may be done twice. */
export const TROUBLES = ["gentle", "kill", "stall", "restart"] as const;

/** One of {@link TROUBLES}. */
export type Trouble = (typeof TROUBLES)[number];

/** What a run of shares is made of. */
export interface SharesPlan {
  readonly random: Random;
  /** In this order. */
  readonly troubles: readonly Trouble[];
  /** The guard to switch off. */
  readonly without: Guard | undefined;
  /** A folder for what shows why a round failed. `@default none` */
  readonly evidence?: string | undefined;
}

/** What came of it. */
export interface SharesReport {
  readonly events: number;
  readonly rows: number;
  /** How long it took after each trouble until every partition had a live worker again, ms. */
  readonly takeOversMs: readonly number[];
  /** Empty: the results are exact, and every partition had a worker in time. */
  readonly problems: readonly string[];
}

/**
 * Workers share eight partitions while events are published and things happen to them. They notice a second late that they have
 * lost a partition, so that the fence is needed. The results must equal the input.
 *
 * @throws Error when it gets stuck
 */
export async function runShares(plan: SharesPlan): Promise<SharesReport> {
  const bed = await TestBed.open({ args: DURABLE });
  try {
    return await new Shares(bed, plan).run();
  } finally {
    await bed.close();
  }
}

class Shares {
  readonly #bed: TestBed;
  readonly #random: Random;
  readonly #without: Guard | undefined;
  readonly #evidence: string | undefined;
  readonly #troubles: readonly Trouble[];
  /** Those that were not asked to end. */
  readonly #workers: StartedProgram[] = [];
  readonly #all: StartedProgram[] = [];
  readonly #stalls: Stall[] = [];
  /** Events that were sent again. */
  #published: Promise<number> = Promise.resolve(0);
  readonly #gentleTimes: { readonly from: string; readonly to: string }[] = [];
  readonly #problems: string[] = [];
  readonly #takeOversMs: number[] = [];

  constructor(bed: TestBed, { random, troubles, without, evidence }: SharesPlan) {
    this.#bed = bed;
    this.#random = random;
    this.#troubles = troubles;
    this.#without = without;
    this.#evidence = evidence;
  }

  async run(): Promise<SharesReport> {
    const events = EVENTS * this.#troubles.length;
    const file = await this.#bed.writeInput(makeEvents(events, this.#random));
    for (let count = 0; count < 3; count += 1) await this.#join();
    await this.#allOwned("at the start");
    this.#published = publishSteadily({ url: this.#bed.toPublisher.url }, file, {
      partitions: PARTITIONS,
      linesPerS: EVENTS_PER_S,
      frames: this.#without !== "duplicate-numbers",
    });
    // If it fails, the wait for its end says so.
    this.#published.catch(() => undefined);
    for (const trouble of this.#troubles) await this.#trouble(trouble);
    const resent = await soon(this.#published, "the publisher to end");
    if (resent === 0 && this.#troubles.includes("restart")) {
      this.#problems.push("no event was sent again, though answers of Redis were lost");
    }
    for (const worker of [...this.#workers]) await this.#leave(worker);
    await this.#judgeGentle();
    this.#problems.push(...(await judgeFence(this.#stalls, this.#all)));
    await this.#close();
    const client = this.#bed.client();
    const results = await readShares(client, PARTITIONS);
    this.#problems.push(...compare(await expectedOf(file, WINDOW_MS), results));
    if (this.#problems.length > 0 && this.#evidence !== undefined) {
      await keepEvidence(this.#evidence, { client, partitions: PARTITIONS, results, workers: this.#all });
    }
    client.disconnect();
    return {
      events,
      rows: results.history.length,
      takeOversMs: this.#takeOversMs,
      problems: this.#problems,
    };
  }

  async #trouble(trouble: Trouble): Promise<void> {
    switch (trouble) {
      case "gentle":
        return this.#gentle();
      case "kill":
        return this.#kill();
      case "stall":
        return this.#stall();
      case "restart":
        return this.#restart();
    }
  }

  async #gentle(): Promise<void> {
    const from = new Date().toISOString();
    await this.#join();
    await this.#allOwned("after a join");
    await this.#leave(this.#random.pick(this.#workers));
    await this.#allOwned("after a leave");
    this.#gentleTimes.push({ from, to: new Date().toISOString() });
  }

  /** While workers only join and leave no task is taken over, since each is finished before another worker opens it. */
  async #judgeGentle(): Promise<void> {
    const ends = await Promise.all(this.#all.map(({ ended }) => ended));
    const taken = ends
      .flatMap(({ log }) => log)
      .filter(({ event }) => event === "task-dropped" || event === "task-lost")
      .filter(({ time }) =>
        this.#gentleTimes.some(({ from, to }) => from <= String(time) && String(time) <= to),
      );
    if (taken.length > 0)
      this.#problems.push(`${taken.length} tasks were taken from a worker before it had finished them`);
  }

  async #kill(): Promise<void> {
    const worker = this.#random.pick(this.#workers);
    worker.kill("SIGKILL");
    this.#forget(worker);
    await this.#allOwned("after a SIGKILL");
    await this.#join();
  }

  async #stall(): Promise<void> {
    const worker = this.#random.pick(this.#workers);
    // A task that is not open yet would be opened afterwards, and take its partition back.
    await Promise.race([worker.logged("committed"), this.#published]);
    worker.kill("SIGSTOP");
    await delay(STALL_MS);
    await this.#allOwned("during a SIGSTOP", this.#workers.length - 1);
    this.#stalls.push({ worker, until: Date.now() });
    worker.kill("SIGCONT");
    await this.#allOwned("after a SIGCONT");
  }

  /**
   * Redis may die after it has taken events and before it says so. That happens at one restart in many, so here an answer to the
   * publisher is lost before each.
   */
  async #restart(): Promise<void> {
    await Promise.race([this.#bed.toPublisher.loseAnswer(), this.#published]);
    await this.#bed.redis.kill();
    await delay(this.#random.below(LEASE_MS));
    await this.#bed.redis.restart();
    await this.#allOwned("after a restart of Redis");
  }

  async #join(): Promise<void> {
    const without = this.#without === undefined ? [] : [`--without=${this.#without}`];
    const worker = await this.#bed.startAggregator([...ARGS, `--lease-ms=${LEASE_MS}`, ...without]);
    this.#workers.push(worker);
    this.#all.push(worker);
  }

  async #leave(worker: StartedProgram): Promise<void> {
    this.#forget(worker);
    worker.kill("SIGTERM");
    const end = await soon(worker.ended, "a worker to end");
    if (end.code !== EXIT_CODES.ok) this.#problems.push(`a worker that was to stop had ${endingOf(end)}`);
  }

  #forget(worker: StartedProgram): void {
    this.#workers.splice(this.#workers.indexOf(worker), 1);
  }

  /** Waits until every partition is with a live worker, none of which has too many. */
  async #allOwned(when: string, workers = this.#workers.length): Promise<void> {
    const began = performance.now();
    const most = Math.ceil(PARTITIONS / workers);
    for (;;) {
      const live = await inspectWorkers({ url: this.#bed.url }, FLOW);
      const sizes = live.map(({ parts }) => parts.length);
      const owned = sizes.reduce((sum, size) => sum + size, 0);
      const tookMs = performance.now() - began;
      if (live.length === workers && owned === PARTITIONS && sizes.every((size) => size <= most)) {
        this.#takeOversMs.push(Math.round(tookMs));
        return;
      }
      if (tookMs > BOUND_MS) {
        this.#problems.push(
          `${when}, ${live.length} of ${workers} workers had ${sizes.join(", ")} partitions`,
        );
        return;
      }
      await delay(20);
    }
  }

  /** One worker alone reads what is left, and closes the windows. */
  async #close(): Promise<void> {
    const closing = ["--exit-when-idle-ms=500", "--close-windows=true"];
    const last = await this.#bed.startAggregator([...ARGS, ...closing]);
    const end = await soon(last.ended, "the last aggregator to end");
    if (end.code !== EXIT_CODES.ok) this.#problems.push(`the last aggregator had ${endingOf(end)}`);
  }
}
