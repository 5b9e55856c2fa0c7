import { EXIT_CODES } from "@millrace/cli";
import type { ProgramEnd, StartedProgram } from "@millrace/local-redis/programs";
import type { DeathPlace } from "../aggregator/death.ts";
import type { Guard } from "../guard.ts";
import { argsOf, setUp, suits } from "./aggregator-needs.ts";
import type { AggregatorNeeds, AggregatorSetup } from "./aggregator-needs.ts";
import { endingOf, soon } from "./bed.ts";
import type { Bed } from "./bed.ts";
import { compare } from "./compare.ts";
import { expectedOf } from "./expected.ts";
import { makeEvents } from "./make-events.ts";
import { PortionedPublisher } from "./portioned-publisher.ts";
import type { Random } from "./random.ts";
import { TaskInRedis } from "./task-in-redis.ts";
import { WINDOW_MS } from "../names.ts";

/** Long enough for the delayed events, and for a publisher on a slow machine. */
const FLOW_ARGS = [`--window-ms=${WINDOW_MS}`, "--wait-ms=2000", "--lateness-ms=120000"];
/** Fills a large commit, even if the last portion is partly committed. */
const PORTION = 3_000;
const EVENTS_PER_SECOND = 5_000;
const IDLE_MS = 500;
/** The drain timeout of the runtime. */
const STOP_DEADLINE_MS = 10_000;
const ANY: AggregatorNeeds = Object.freeze({ mode: undefined, death: undefined });

/** A fault that is injected while events flow, on a test bed of this kind. */
export interface Fault<B extends Bed> {
  /** How the aggregator must be started before. */
  readonly needs: (random: Random) => AggregatorNeeds;
  /** Number of portions that it needs. `@default 1` */
  readonly portions?: number;
  /** Injects the fault while a portion of events is in flight. If the aggregator ends, the round starts another. */
  readonly strike: (round: Round<B>) => Promise<void>;
}

/** Faults by name. */
export type Faults<B extends Bed> = Readonly<Record<string, Fault<B>>>;

/** The plan of a round. */
export interface RoundPlan {
  /** Names of faults, in the order of injection. */
  readonly faults: readonly string[];
  readonly random: Random;
  /** Guard that is switched off in the aggregator. */
  readonly without: Guard | undefined;
  /** How long a Redis is away, ms. */
  readonly awayMs: number;
}

/** The result of a round. */
export interface RoundReport {
  readonly events: number;
  readonly rows: number;
  readonly resent: number;
  /** Fail points at which an aggregator died. */
  readonly deaths: readonly DeathPlace[];
  /** Problems; if empty, the round passed. */
  readonly problems: readonly string[];
}

/** The part of a round on one test bed, as faults use it. */
export class Round<B extends Bed> {
  readonly bed: B;
  readonly publisher: PortionedPublisher;
  readonly random: Random;
  readonly task: TaskInRedis;
  /** How long a Redis is away, ms. */
  readonly awayMs: number;
  readonly #flowArgs: readonly string[];
  #aggregator: StartedProgram;
  #setup: AggregatorSetup;
  readonly #deaths: DeathPlace[] = [];
  readonly #problems: string[] = [];
  #mustResend = false;

  /** @param faults by the names of the plan */
  static async run<B extends Bed>(
    open: () => Promise<B>,
    { faults: names, random, without, awayMs }: RoundPlan,
    faults: Faults<B>,
  ): Promise<RoundReport> {
    const plan = names.map((name) => {
      const fault = faultNamed(name, faults);
      return { fault, needs: fault.needs(random) };
    });
    // One more portion after the last fault.
    const portions = plan.reduce((sum, { fault }) => sum + (fault.portions ?? 1), 1);
    const flowArgs = [...FLOW_ARGS, ...(without === undefined ? [] : [`--without=${without}`])];
    const setup = setUp(plan[0]?.needs ?? ANY, random);
    const bed = await open();
    const task = new TaskInRedis(bed);
    try {
      const events = portions * PORTION;
      const file = await bed.writeInput(makeEvents(events, random));
      const [publisher, aggregator] = await Promise.all([
        bed.startPublisher([
          `--file=${file}`,
          `--portion=${PORTION}`,
          `--rate=${EVENTS_PER_SECOND}`,
          `--frames=${without !== "duplicate-numbers"}`,
        ]),
        bed.startAggregator([...flowArgs, ...argsOf(setup)]),
      ]);
      const portioned = new PortionedPublisher(publisher, PORTION);
      const round = new Round(bed, task, { random, awayMs }, portioned, flowArgs, { aggregator, setup });
      for (const { fault, needs } of plan) await round.#strike(fault, needs);
      await round.#publishAll(portions);
      await round.#closeWindows(names.includes("between-pages"));
      const resent = await round.#judgePublisher();
      const { history, ...results } = await task.results();
      const differences = compare(await expectedOf(file, WINDOW_MS), { history, ...results });
      const problems = [...round.#problems, ...differences];
      return { events, rows: history.length, resent, deaths: round.#deaths, problems };
    } finally {
      task.close();
      await bed.close();
    }
  }

  private constructor(
    bed: B,
    task: TaskInRedis,
    { random, awayMs }: Pick<RoundPlan, "random" | "awayMs">,
    publisher: PortionedPublisher,
    flowArgs: readonly string[],
    { aggregator, setup }: { readonly aggregator: StartedProgram; readonly setup: AggregatorSetup },
  ) {
    this.bed = bed;
    this.task = task;
    this.random = random;
    this.awayMs = awayMs;
    this.publisher = publisher;
    this.#flowArgs = flowArgs;
    this.#aggregator = aggregator;
    this.#setup = setup;
  }

  /** The current aggregator. */
  get aggregator(): StartedProgram {
    return this.#aggregator;
  }

  problem(what: string): void {
    this.#problems.push(what);
  }

  died(place: DeathPlace): void {
    this.#deaths.push(place);
  }

  /** From now on the publisher must have resent something. */
  expectResent(): void {
    this.#mustResend = true;
  }

  /** Starts another aggregator; the current one is left as it is. */
  async replaceAggregator(
    needs: AggregatorNeeds,
    more: readonly string[] = [],
    outputTo?: string,
  ): Promise<StartedProgram> {
    this.#setup = setUp(needs, this.random);
    const args = [...this.#flowArgs, ...argsOf(this.#setup), ...more];
    this.#aggregator = await this.bed.startAggregator(args, outputTo === undefined ? {} : { outputTo });
    return this.#aggregator;
  }

  /** Sends SIGTERM. The aggregator must end with exit code 0, and in time. */
  async stopAggregator(): Promise<void> {
    const began = performance.now();
    this.#aggregator.kill("SIGTERM");
    const end = await soon(this.#aggregator.ended, "the aggregator to stop");
    const tookMs = Math.round(performance.now() - began);
    if (tookMs > STOP_DEADLINE_MS) this.problem(`stopped, the aggregator took ${tookMs} ms to end`);
    if (end.code !== EXIT_CODES.ok) this.problem(`stopped, the aggregator had ${endingOf(end)}`);
  }

  async #strike({ strike }: Fault<B>, needs: AggregatorNeeds): Promise<void> {
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

  async #runs(): Promise<boolean> {
    const end = await Promise.race([this.#aggregator.ended, Promise.resolve(undefined)]);
    return end === undefined;
  }
}

/** @throws RangeError */
function faultNamed<B extends Bed>(name: string, faults: Faults<B>): Fault<B> {
  const fault = faults[name];
  if (fault === undefined) throw new RangeError(`there is no fault ${name}`);
  return fault;
}
