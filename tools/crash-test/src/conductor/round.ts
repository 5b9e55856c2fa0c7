import { Redis } from "ioredis";
import { EXIT_CODES } from "@millrace/cli";
import type { ProgramEnd, StartedProgram } from "@millrace/cli";
import type { DeathPlace } from "../aggregator/death.ts";
import type { Guard } from "../guard.ts";
import { argsOf } from "./aggregator-needs.ts";
import type { AggregatorNeeds } from "./aggregator-needs.ts";
import { compare } from "./compare.ts";
import { expectedOf } from "./expected.ts";
import { FAULTS } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { makeEvents } from "./make-events.ts";
import type { Random } from "./random.ts";
import { readResults } from "./read-results.ts";
import { DURABLE, TestBed, endingOf, soon } from "./test-bed.ts";

const WINDOW_MS = 1_000;
/** Enough for the delayed events, and for as long as a slow machine may keep the publisher waiting. */
const FLOW_ARGS = [`--window-ms=${WINDOW_MS}`, "--wait-ms=2000", "--lateness-ms=120000"];
/** Two of the large commits are filled by one portion, whatever was left by the one before. */
const PORTION = 3_000;
const EVENTS_PER_SECOND = 5_000;
const IDLE_MS = 500;

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
  readonly random: Random;
  readonly #without: readonly string[];
  readonly #publisher: StartedProgram;
  readonly #portions: number;
  #aggregator: StartedProgram;
  #needs: AggregatorNeeds;
  #published = 0;
  #mustResend = false;
  readonly #deaths: DeathPlace[] = [];
  readonly #problems: string[] = [];

  /** Runs a whole round. @throws Error when it gets stuck */
  static async run({ faults: names, random, without }: RoundPlan): Promise<RoundReport> {
    const faults = names.map(faultNamed);
    // Each fault has a portion, two owners have two, and one is for afterwards.
    const portions = faults.length + names.filter((name) => name === "two-owners").length + 1;
    const bed = await TestBed.open({ args: DURABLE });
    try {
      const events = portions * PORTION;
      const file = await bed.writeInput(makeEvents(events, random));
      const expected = await expectedOf(file, WINDOW_MS);
      const publisher = await bed.startPublisher([
        `--file=${file}`,
        `--portion=${PORTION}`,
        `--rate=${EVENTS_PER_SECOND}`,
      ]);
      const guards = without === undefined ? [] : [`--without=${without}`];
      const needs: AggregatorNeeds = { mode: "paged", death: undefined };
      const aggregator = await bed.startAggregator([...FLOW_ARGS, ...guards, ...argsOf(needs)]);
      const round = new Round(bed, random, { publisher, aggregator, needs, guards, portions });
      for (const fault of faults) await round.#strike(fault);
      const resent = await round.#finish();
      const client = new Redis(bed.redis.url);
      const results = await readResults(client).finally(() => {
        client.disconnect();
      });
      const problems = [...round.#problems, ...compare(expected, results)];
      return { events, rows: results.history.length, resent, deaths: round.#deaths, problems };
    } finally {
      await bed.close();
    }
  }

  private constructor(
    bed: TestBed,
    random: Random,
    parts: {
      readonly publisher: StartedProgram;
      readonly aggregator: StartedProgram;
      readonly needs: AggregatorNeeds;
      readonly guards: readonly string[];
      readonly portions: number;
    },
  ) {
    this.bed = bed;
    this.random = random;
    this.#publisher = parts.publisher;
    this.#aggregator = parts.aggregator;
    this.#needs = parts.needs;
    this.#without = parts.guards;
    this.#portions = parts.portions;
  }

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

  /** Begins the next portion, when the one before is out. */
  async publishMore(): Promise<void> {
    await this.#portionOut();
    this.#published += 1;
    this.#publisher.kill("SIGUSR2");
  }

  /** Starts another aggregator, whatever becomes of this one. */
  async replaceAggregator(needs: AggregatorNeeds): Promise<StartedProgram> {
    this.#needs = needs;
    this.#aggregator = await this.bed.startAggregator([...FLOW_ARGS, ...this.#without, ...argsOf(needs)]);
    return this.#aggregator;
  }

  /** SIGTERM: it has to end well. */
  async stopAggregator(): Promise<void> {
    this.#aggregator.kill("SIGTERM");
    const end = await soon(this.#aggregator.ended, "the aggregator to stop");
    if (end.code !== EXIT_CODES.ok) this.problem(`stopped, the aggregator had ${endingOf(end)}`);
  }

  async #strike({ needs, strike }: Fault): Promise<void> {
    const wanted = needs(this);
    if (!(await this.#runs())) await this.replaceAggregator(wanted);
    else if (wanted.death !== undefined || wanted.mode !== this.#needs.mode) {
      await this.stopAggregator();
      await this.replaceAggregator(wanted);
    }
    await strike(this);
  }

  /** @returns how many events were resent */
  async #finish(): Promise<number> {
    if (!(await this.#runs())) await this.replaceAggregator({ mode: "paged", death: undefined });
    while (this.#published < this.#portions) await this.publishMore();
    const end = await soon(this.#publisher.ended, "the publisher to end");
    if (end.code !== EXIT_CODES.ok) this.problem(`the publisher had ${endingOf(end)}`);
    if (await this.#runs()) await this.stopAggregator();
    await this.#closeWindows();
    const resent = Number(end.log.find(({ event }) => event === "published")?.["resent"] ?? 0);
    if (this.#mustResend && resent === 0) this.problem("the publisher lost an answer, and resent nothing");
    return resent;
  }

  /** Ends the input, which closes all windows; the first try is killed on the way. */
  async #closeWindows(): Promise<void> {
    const death = { place: "between-pages", passes: this.random.below(10) } as const;
    const close = (args: readonly string[]): Promise<ProgramEnd> =>
      this.bed
        .startAggregator([...FLOW_ARGS, ...this.#without, `--exit-when-idle-ms=${IDLE_MS}`, ...args])
        .then(({ ended }) => soon(ended, "the last windows to close"));
    const first = await close(argsOf({ mode: "paged", death }));
    if (first.code === null) this.died(death.place);
    const last = await close(argsOf({ mode: "paged", death: undefined }));
    if (last.code !== EXIT_CODES.ok) this.problem(`at the end, the aggregator had ${endingOf(last)}`);
  }

  /** Resolves when the publisher has handed out what it was last asked for. */
  async #portionOut(): Promise<void> {
    if (this.#published === 0) return;
    const total = this.#published * PORTION;
    await soon(
      this.#publisher.logged("portion", (line) => Number(line["total"]) >= total),
      `${total} events to be published`,
    );
  }

  async #runs(): Promise<boolean> {
    const end = await Promise.race([this.#aggregator.ended, Promise.resolve(undefined)]);
    return end === undefined;
  }
}

function faultNamed(name: string): Fault {
  const fault = FAULTS[name];
  if (fault === undefined) throw new RangeError(`there is no fault ${name}`);
  return fault;
}
