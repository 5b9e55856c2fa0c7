import { setTimeout as delay } from "node:timers/promises";
import { EXIT_CODES } from "@millrace/cli";
import { messageOf } from "@millrace/dataflow";
import type { StartedProgram } from "@millrace/local-redis/programs";
import { endingOf, soon, DURABLE } from "../conductor/bed.ts";
import { compare } from "../conductor/compare.ts";
import { expectedOf } from "../conductor/expected.ts";
import { makeEvents } from "../conductor/make-events.ts";
import { Random } from "../conductor/random.ts";
import { TestBed } from "../conductor/test-bed.ts";
import type { Guard } from "../guard.ts";
import { WINDOW_MS } from "../names.ts";
import { judgeDrain } from "./judge-drain.ts";
import { judgeFence } from "./judge-fence.ts";
import { keepEvidence } from "./keep-evidence.ts";
import { readShares } from "./read-shares.ts";
import { LEASE_MS, PARTITIONS, sharingOn } from "./sharing.ts";
import type { Sharing, Way } from "./sharing.ts";
import { SteadyPublisher } from "./steady-publisher.ts";

/** As many as there are, unless one has just joined, left or died. */
const WORKERS = 3;
const EVENTS_PER_S = 400;
/** Event time passes 16 times as fast as the clock, so that windows close all the time. */
const EVENTS_PER_EVENT_S = 25;
/** A worker that stalls so long has lost its partitions. */
const STALL_MS = 2.5 * LEASE_MS;
/** Until when every partition must have a live worker again, on a machine that may be busy, ms. */
const BOUND_MS = 8 * LEASE_MS;
/**
 * What can happen to the workers, to Redis and to Kafka's broker. `gentle`: workers join and leave, so that nothing may be done
 * twice; `mixed`: several things, before the workers have divided the partitions again.
 */
export type Trouble = "gentle" | "kill" | "stall" | "restart" | "broker" | "mixed";

/** What happens in `mixed`, each once. */
const MIXED = ["join", "leave", "kill", "pause", "restart", "broker"] as const;

/** All that can happen, the harmless thing first. */
export type Troubles = readonly ["gentle", ...(readonly Trouble[])];

/** What can happen over Redis streams. */
export const STREAM_TROUBLES: Troubles = ["gentle", "kill", "stall", "restart", "mixed"];
/** What can happen over Kafka. */
export const KAFKA_TROUBLES: Troubles = [...STREAM_TROUBLES, "broker"];

/** What a run of shares is made of. */
export interface SharesPlan {
  readonly random: Random;
  /** In this order. */
  readonly troubles: readonly Trouble[];
  /** The guard to switch off. `@default none` */
  readonly without?: Guard | undefined;
  readonly way: Way;
  /** A folder for what shows why a round failed. `@default none` */
  readonly evidence?: string | undefined;
}

/** What came of it. */
export interface SharesReport {
  readonly events: number;
  readonly rows: number;
  /** Workers that were not judged while workers joined and left: their lease lapsed, though nothing was done to them. */
  readonly lapsed: number;
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
    return await new Shares(bed, await sharingOn(bed, plan.way, plan.without), plan).run();
  } finally {
    await bed.close();
  }
}

/** When something happened. */
interface TroubleTime {
  readonly trouble: Trouble;
  readonly from: string;
  readonly to: string;
}

class Shares {
  readonly #bed: TestBed;
  readonly #sharing: Sharing;
  readonly #way: Way;
  readonly #random: Random;
  readonly #troubles: readonly Trouble[];
  readonly #evidence: string | undefined;
  /** Those that were not asked to end. */
  readonly #workers: StartedProgram[] = [];
  readonly #all: StartedProgram[] = [];
  readonly #times: TroubleTime[] = [];
  /** Answers to the publisher that were lost. */
  #losses = 0;
  /** Workers whose lease lapsed before or in a gentle time. */
  #lapsed = 0;
  readonly #problems: string[] = [];
  readonly #takeOversMs: number[] = [];

  constructor(bed: TestBed, sharing: Sharing, { random, troubles, way, evidence }: SharesPlan) {
    this.#bed = bed;
    this.#sharing = sharing;
    this.#way = way;
    this.#random = random;
    this.#troubles = troubles;
    this.#evidence = evidence;
  }

  async run(): Promise<SharesReport> {
    try {
      const report = await this.#run();
      if (report.problems.length > 0) await this.#keepEvidence();
      return report;
    } catch (error) {
      this.#problems.push(messageOf(error));
      for (const worker of this.#all) worker.kill("SIGKILL");
      // Redis may be away. The error that is thrown is the one that comes first.
      await this.#keepEvidence().catch(() => undefined);
      throw error;
    }
  }

  async #keepEvidence(): Promise<void> {
    if (this.#evidence === undefined) return;
    await keepEvidence(this.#evidence, {
      bed: this.#bed,
      sharing: this.#sharing,
      workers: this.#all,
      round: { problems: this.#problems, times: this.#times },
    });
  }

  async #run(): Promise<SharesReport> {
    await Promise.all(Array.from({ length: WORKERS }, () => this.#join()));
    await this.#allOwned("at the start");
    // Random numbers of their own: how many events there are at a trouble depends on the machine.
    const events = makeEvents(Infinity, new Random(this.#random.below(2 ** 31)), EVENTS_PER_EVENT_S);
    const publisher = new SteadyPublisher(this.#sharing.sink, events, EVENTS_PER_S);
    await publisher.begun;
    for (const trouble of this.#troubles) {
      const from = new Date().toISOString();
      await this.#trouble(trouble);
      this.#times.push({ trouble, from, to: new Date().toISOString() });
    }
    await soon(publisher.stop(), "the end of the publisher");
    const { resent } = this.#sharing.sink.stats();
    if (resent < this.#losses) {
      this.#problems.push(
        `${this.#losses} answers to the publisher were lost, and it sent ${resent} events again`,
      );
    }
    for (const worker of [...this.#workers]) await this.#leave(worker);
    await this.#judgeLogs();
    await this.#close();
    const client = this.#bed.client();
    const results = await readShares(client, this.#sharing.parts);
    client.disconnect();
    const file = await this.#bed.writeInput(publisher.published);
    this.#problems.push(...compare(await expectedOf(file, WINDOW_MS), results));
    return {
      events: publisher.published.length,
      rows: results.history.length,
      lapsed: this.#lapsed,
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
        await this.#restart();
        return this.#allOwned("after a restart of Redis");
      case "broker":
        await this.#restartBroker();
        return this.#allOwned("after a restart of the broker");
      case "mixed":
        return this.#mixed();
    }
  }

  async #gentle(): Promise<void> {
    await this.#join();
    await this.#allOwned("after a join");
    await this.#leave(this.#random.pick(this.#workers));
    await this.#allOwned("after a leave");
  }

  /** Judges what only the logs show. */
  async #judgeLogs(): Promise<void> {
    const ends = await Promise.all(this.#all.map(({ ended }) => ended));
    const logs = ends.map(({ log }) => log);
    this.#problems.push(...judgeFence(logs));
    for (const span of this.#times.filter(({ trouble }) => trouble === "gentle")) {
      const { problems, lapsed } = judgeDrain(logs, span);
      this.#problems.push(...problems);
      this.#lapsed += lapsed;
    }
  }

  async #kill(): Promise<void> {
    this.#killOne();
    await this.#allOwned("after a SIGKILL");
    await this.#join();
  }

  #killOne(): void {
    const worker = this.#random.pick(this.#workers);
    worker.kill("SIGKILL");
    this.#forget(worker);
  }

  async #stall(): Promise<void> {
    const worker = this.#random.pick(this.#workers);
    // A task that is not open yet would be opened afterwards, and take its partition back.
    await worker.logged("committed");
    worker.kill("SIGSTOP");
    await delay(STALL_MS);
    await this.#allOwned(
      "during a SIGSTOP",
      this.#workers.filter((other) => other !== worker),
    );
    worker.kill("SIGCONT");
    await this.#allOwned("after a SIGCONT");
  }

  /**
   * Redis may die after it has taken events and before it says so. That happens at one restart in many, so an answer to the
   * publisher of streams is lost before each.
   */
  async #restart(): Promise<void> {
    if (this.#way.kind === "streams") {
      await soon(this.#bed.toPublisher.loseAnswer(), "the loss of an answer to the publisher");
      this.#losses += 1;
    }
    await this.#bed.redis.kill();
    await delay(this.#random.below(LEASE_MS));
    await this.#bed.redis.restart();
  }

  async #restartBroker(): Promise<void> {
    if (this.#way.kind === "streams") return;
    await this.#way.kafka.kill();
    await delay(this.#random.below(LEASE_MS));
    await this.#way.kafka.restart();
  }

  /** Nothing waits until the workers have divided the partitions again. */
  async #mixed(): Promise<void> {
    const over: Promise<void>[] = [];
    for (const what of this.#random.shuffled(MIXED)) {
      const happening = this.#happen(what);
      if (what === "leave" || what === "pause") over.push(happening);
      else await happening;
      await delay(this.#random.below(LEASE_MS));
    }
    await Promise.all(over);
    while (this.#workers.length < WORKERS) await this.#join();
    await this.#allOwned("after several things at once");
  }

  async #happen(what: (typeof MIXED)[number]): Promise<void> {
    switch (what) {
      case "join":
        return this.#join();
      case "leave":
        return this.#leave(this.#random.pick(this.#workers));
      case "kill":
        this.#killOne();
        return;
      case "pause":
        return this.#pause(this.#random.pick(this.#workers));
      case "restart":
        return this.#restart();
      case "broker":
        return this.#restartBroker();
    }
  }

  /** For longer than the lease, or not. */
  async #pause(worker: StartedProgram): Promise<void> {
    worker.kill("SIGSTOP");
    await delay(this.#random.below(STALL_MS));
    worker.kill("SIGCONT");
  }

  async #join(): Promise<void> {
    const worker = await this.#sharing.startWorker();
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
  async #allOwned(when: string, workers: readonly StartedProgram[] = this.#workers): Promise<void> {
    const began = performance.now();
    const most = Math.ceil(PARTITIONS / workers.length);
    for (;;) {
      const sizes = await this.#sharing.sizes(workers);
      const owned = sizes.reduce((sum, size) => sum + size, 0);
      const tookMs = performance.now() - began;
      if (sizes.length === workers.length && owned === PARTITIONS && sizes.every((size) => size <= most)) {
        this.#takeOversMs.push(Math.round(tookMs));
        return;
      }
      if (tookMs > BOUND_MS) {
        this.#problems.push(
          `${when}, ${sizes.length} of ${workers.length} workers had ${sizes.join(", ")} partitions`,
        );
        return;
      }
      await delay(20);
    }
  }

  /** One worker alone reads what is left, and closes the windows. */
  async #close(): Promise<void> {
    const last = await this.#sharing.startLast();
    this.#all.push(last);
    const end = await soon(last.ended, "the last aggregator to end");
    if (end.code !== EXIT_CODES.ok) this.#problems.push(`the last aggregator had ${endingOf(end)}`);
  }
}
