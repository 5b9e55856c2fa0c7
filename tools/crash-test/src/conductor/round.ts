import { Redis } from "ioredis";
import { EXIT_CODES } from "@millrace/cli";
import type { ProgramEnd, StartedProgram } from "@millrace/cli";
import type { DeathPlace } from "../aggregator/death.ts";
import type { Guard } from "../guard.ts";
import { argsOf, setUp, suits } from "./aggregator-needs.ts";
import type { AggregatorNeeds, AggregatorSetup } from "./aggregator-needs.ts";
import { compare } from "./compare.ts";
import { expectedOf } from "./expected.ts";
import { FAULTS } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { makeEvents } from "./make-events.ts";
import { PortionedPublisher } from "./portioned-publisher.ts";
import type { Random } from "./random.ts";
import { readResults } from "./read-results.ts";
import { DURABLE, TestBed, endingOf, soon } from "./test-bed.ts";

const WINDOW_MS = 1_000;
/** Enough for the delayed events, and for as long as a slow machine may keep the publisher waiting. */
const FLOW_ARGS = [`--window-ms=${WINDOW_MS}`, "--wait-ms=2000", "--lateness-ms=120000"];
/** Fills a large commit, whatever is left of the portion before. */
const PORTION = 3_000;
const EVENTS_PER_SECOND = 5_000;
const IDLE_MS = 500;
/** What the runtime gives itself to drain. */
const STOP_DEADLINE_MS = 10_000;
const ANY: AggregatorNeeds = Object.freeze({ mode: undefined, death: undefined });

/** What a round has to do. */
export interface RoundPlan {
  /** Names of faults, in the order in which they strike. */
  readonly faults: readonly string[];
  readonly random: Random;
  /** Guard that the aggregator goes without. */
  readonly without: Guard | undefined;
}

/** What came out of it. */
export interface RoundReport {
  readonly events: number;
  readonly rows: number;
  readonly resent: number;
  /** Fail points at which an aggregator died. */
  readonly deaths: readonly DeathPlace[];
  /** What was not as it must be; none: the round passed. */
  readonly problems: readonly string[];
}

/** Once from an empty Redis to results compared with the input, with faults on the way. */
export class Round {
  readonly bed: TestBed;
  readonly publisher: PortionedPublisher;
  readonly random: Random;
  readonly #flowArgs: readonly string[];
  #aggregator: StartedProgram;
  #setup: AggregatorSetup;
  readonly #deaths: DeathPlace[] = [];
  readonly #problems: string[] = [];
  #mustResend = false;

  /** Runs a whole round. @throws Error when it gets stuck */
  static async run({ faults: names, random, without }: RoundPlan): Promise<RoundReport> {
    const plan = names.map((name) => ({
      name,
      fault: faultNamed(name),
      needs: faultNamed(name).needs(random),
    }));
    // One more is for afterwards.
    const portions = plan.reduce((sum, { fault }) => sum + (fault.portions ?? 1), 1);
    const flowArgs = [...FLOW_ARGS, ...(without === undefined ? [] : [`--without=${without}`])];
    const setup = setUp(plan[0]?.needs ?? ANY, random);
    const bed = await TestBed.open({ args: DURABLE });
    try {
      const events = portions * PORTION;
      const file = await bed.writeInput(makeEvents(events, random));
      const [publisher, aggregator] = await Promise.all([
        bed.startPublisher([`--file=${file}`, `--portion=${PORTION}`, `--rate=${EVENTS_PER_SECOND}`]),
        bed.startAggregator([...flowArgs, ...argsOf(setup)]),
      ]);
      const portioned = new PortionedPublisher(publisher, PORTION);
      const round = new Round(bed, random, portioned, flowArgs, { aggregator, setup });
      for (const { fault, needs } of plan) await round.#strike(fault, needs);
      await round.#publishAll(portions);
      await round.#closeWindows(names.includes("between-pages"));
      const resent = await round.#judgePublisher();
      const { history, ...results } = await round.#results();
      const differences = compare(await expectedOf(file, WINDOW_MS), { history, ...results });
      const problems = [...round.#problems, ...differences];
      return { events, rows: history.length, resent, deaths: round.#deaths, problems };
    } finally {
      await bed.close();
    }
  }

  private constructor(
    bed: TestBed,
    random: Random,
    publisher: PortionedPublisher,
    flowArgs: readonly string[],
    { aggregator, setup }: { readonly aggregator: StartedProgram; readonly setup: AggregatorSetup },
  ) {
    this.bed = bed;
    this.random = random;
    this.publisher = publisher;
    this.#flowArgs = flowArgs;
    this.#aggregator = aggregator;
    this.#setup = setup;
  }

  /** The aggregator started last. */
  get aggregator(): StartedProgram {
    return this.#aggregator;
  }

  problem(what: string): void {
    this.#problems.push(what);
  }

  died(place: DeathPlace): void {
    this.#deaths.push(place);
  }

  /** From now on, a publisher that resent nothing was not hit. */
  expectResent(): void {
    this.#mustResend = true;
  }

  /** Starts another aggregator, whatever becomes of this one. */
  async replaceAggregator(needs: AggregatorNeeds, more: readonly string[] = []): Promise<StartedProgram> {
    this.#setup = setUp(needs, this.random);
    this.#aggregator = await this.bed.startAggregator([...this.#flowArgs, ...argsOf(this.#setup), ...more]);
    return this.#aggregator;
  }

  /** SIGTERM: it has to end well, and in time. */
  async stopAggregator(): Promise<void> {
    const began = performance.now();
    this.#aggregator.kill("SIGTERM");
    const end = await soon(this.#aggregator.ended, "the aggregator to stop");
    const tookMs = Math.round(performance.now() - began);
    if (tookMs > STOP_DEADLINE_MS) this.problem(`stopped, the aggregator took ${tookMs} ms to end`);
    if (end.code !== EXIT_CODES.ok) this.problem(`stopped, the aggregator had ${endingOf(end)}`);
  }

  async #strike({ strike }: Fault, needs: AggregatorNeeds): Promise<void> {
    // Before the first portion the aggregator is the one that was started for this fault.
    const suited = this.publisher.asked === 0 || suits(this.#setup, needs);
    const runs = await this.#runs();
    if (runs && !suited) await this.stopAggregator();
    if (!runs || !suited) await this.replaceAggregator(needs);
    await strike(this);
  }

  async #publishAll(portions: number): Promise<void> {
    while (this.publisher.asked < portions) await this.publisher.publishMore();
    await this.publisher.ended();
    if (await this.#runs()) await this.stopAggregator();
  }

  /** Ends the input, which closes all windows. @param dying whether the first try is to be killed */
  async #closeWindows(dying: boolean): Promise<void> {
    const close = async (needs: AggregatorNeeds): Promise<ProgramEnd> => {
      const { ended } = await this.replaceAggregator(needs, [
        `--exit-when-idle-ms=${IDLE_MS}`,
        "--close-windows=true",
      ]);
      return await soon(ended, "the last windows to close");
    };
    if (dying) {
      const death = { place: "between-pages", passes: this.random.below(10) } as const;
      const { code } = await close({ mode: "paged", death });
      if (code === null) this.died(death.place);
    }
    const end = await close(ANY);
    if (end.code !== EXIT_CODES.ok) this.problem(`at the end, the aggregator had ${endingOf(end)}`);
  }

  /** @returns how many events were sent again */
  async #judgePublisher(): Promise<number> {
    const end = await this.publisher.ended();
    if (end.code !== EXIT_CODES.ok) this.problem(`the publisher had ${endingOf(end)}`);
    const resent = Number(end.log.find(({ event }) => event === "published")?.["resent"] ?? 0);
    if (this.#mustResend && resent === 0) this.problem("the publisher lost an answer, and resent nothing");
    return resent;
  }

  async #results(): ReturnType<typeof readResults> {
    const client = new Redis(this.bed.redis.url);
    try {
      return await readResults(client);
    } finally {
      client.disconnect();
    }
  }

  async #runs(): Promise<boolean> {
    const end = await Promise.race([this.#aggregator.ended, Promise.resolve(undefined)]);
    return end === undefined;
  }
}

/** @throws RangeError */
function faultNamed(name: string): Fault {
  const fault = FAULTS[name];
  if (fault === undefined) throw new RangeError(`there is no fault ${name}`);
  return fault;
}
