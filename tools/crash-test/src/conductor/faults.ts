import { setTimeout as delay } from "node:timers/promises";
import { EXIT_CODES } from "@millrace/cli";
import type { ProgramEnd } from "@millrace/cli";
import { DEATHS } from "../aggregator/death.ts";
import type { DeathPlace } from "../aggregator/death.ts";
import type { AggregatorNeeds } from "./aggregator-needs.ts";
import type { Random } from "./random.ts";
import type { Round } from "./round.ts";
import { endingOf, soon } from "./test-bed.ts";

/** Something that goes wrong while events flow. */
export interface Fault {
  /** What the aggregator must have been told before. */
  readonly needs: (random: Random) => AggregatorNeeds;
  /** Portions that it takes. `@default 1` */
  readonly portions?: number;
  /** Makes it happen, with a portion of events under way; an aggregator that ended is replaced by the round. */
  readonly strike: (round: Round) => Promise<void>;
}

const LONGEST_MOMENT_MS = 400;
/** Longer than a program that is done waits for what it forgot. */
const SLEEP_MS = 700;
const PRINT: readonly string[] = ["--print=true"];

/** All faults by name. */
export const FAULTS: Readonly<Record<string, Fault>> = Object.freeze({
  kill: { needs: anyMode, strike: kill },
  "kill-redis": { needs: anyMode, strike: killRedis },
  "two-owners": { needs: paged, portions: 3, strike: twoOwners },
  "cut-aggregator": { needs: anyMode, strike: cutAggregator },
  "cut-publisher": { needs: anyMode, strike: cutPublisher },
  "lose-commit-answer": { needs: paged, strike: loseCommitAnswer },
  "lose-publish-answer": { needs: anyMode, strike: losePublishAnswer },
  stop: { needs: anyMode, strike: stop },
  "wrong-type-result": { needs: anyMode, portions: 2, strike: wrongTypeOfResult },
  "wrong-type-state": { needs: anyMode, portions: 2, strike: wrongTypeOfState },
  evict: { needs: anyMode, strike: evict },
  recount: { needs: anyMode, strike: recount },
  "slow-reader": { needs: paged, portions: 3, strike: slowReader },
  ...Object.fromEntries(DEATHS.map((place) => [place, dieAt(place)])),
});

function anyMode(): AggregatorNeeds {
  return { mode: undefined, death: undefined };
}

function paged(): AggregatorNeeds {
  return { mode: "paged", death: undefined };
}

async function moment({ random }: Round): Promise<void> {
  await delay(random.below(LONGEST_MOMENT_MS));
}

async function kill(round: Round): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  round.aggregator.kill("SIGKILL");
  await round.aggregator.ended;
}

async function killRedis(round: Round): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  await round.bed.redis.kill();
  await round.bed.redis.restart();
}

/** The old owner wakes up when the new one has committed, finds that it is none any more, and must stop for good. */
async function twoOwners(round: Round): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  const old = round.aggregator;
  old.kill("SIGSTOP");
  const heir = await round.replaceAggregator(paged());
  await round.publisher.publishMore();
  const { number: first } = await soon(heir.logged("committed"), "a commit of the new owner");
  old.kill("SIGCONT");
  // Both have something to commit now.
  await round.publisher.publishMore();
  const wentOn = old
    .logged("committed", ({ number, outcome }) => Number(number) >= Number(first) && outcome !== "fenced")
    .catch(() => undefined);
  await soon(Promise.race([old.ended, wentOn]), "the old owner to commit");
  const end = await Promise.race([old.ended, Promise.resolve(undefined)]);
  if (end === undefined) round.problem("two-owners: the old owner went on beside the new one");
  else if (end.code !== EXIT_CODES.fenced) {
    round.problem(`two-owners: the old owner ended otherwise than fenced: ${endingOf(end)}`);
  }
}

async function cutAggregator(round: Round): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  round.bed.toAggregator.cut();
}

async function cutPublisher(round: Round): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  round.bed.toPublisher.cut();
}

async function loseCommitAnswer(round: Round): Promise<void> {
  const lost = round.bed.toAggregator.loseAnswer();
  await round.publisher.publishMore();
  await soon(lost, "a commit with rows");
}

async function losePublishAnswer(round: Round): Promise<void> {
  const lost = round.bed.toPublisher.loseAnswer();
  await round.publisher.publishMore();
  await soon(lost, "an event to be published");
  round.expectResent();
}

async function stop(round: Round): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  await round.stopAggregator();
}

async function wrongTypeOfResult(round: Round): Promise<void> {
  await occupyKey(round, () => round.task.resultKey(round.random));
}

async function wrongTypeOfState(round: Round): Promise<void> {
  await occupyKey(round, () => round.task.stateKey(round.random));
}

/** Somebody's text where the next commit wants to write: it must fail as a whole, and go well once the text is gone. */
async function occupyKey(round: Round, choose: () => Promise<string>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  const key = await choose();
  const free = await round.task.occupy(key);
  // Whatever was committed before, there is something to commit now.
  await round.publisher.publishMore();
  const end = await soon(round.aggregator.ended, `the aggregator to find ${key} of a wrong type`);
  requireRefusal(round, end, "MILLRACE_STORE_KEY_OCCUPIED", `${key} is of a wrong type`);
  await free();
}

/** State that is not whole must be refused, and can be counted anew. */
async function evict(round: Round): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  await round.stopAggregator();
  const key = await round.task.evict(round.random);
  const heir = await round.replaceAggregator(anyMode());
  const end = await Promise.race([heir.ended, round.task.nextCommit(heir.ended).then(ignore)]);
  if (end !== undefined) requireRefusal(round, end, "MILLRACE_STORE_STATE_INCOMPLETE", `${key} is gone`);
  else {
    round.problem(`${key} is gone: the aggregator went on with what is left`);
    await round.stopAggregator();
  }
  await round.task.reset("remove-results");
}

/** Rows that are there from before must not stand against those that are counted anew. */
async function recount(round: Round): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  await round.stopAggregator();
  await round.task.reset("keep-results");
}

/** Whoever reads the rows sleeps: what is committed must have come to them all the same, killed or stopped. */
async function slowReader(round: Round): Promise<void> {
  await round.stopAggregator();
  const from = await round.task.historyEnd();
  const killed = await round.replaceAggregator(paged(), PRINT);
  killed.pauseOutput();
  // More than fits into the pipe and what Node keeps at both of its ends.
  await round.publisher.publishMore();
  await round.publisher.publishMore();
  await round.publisher.portionOut();
  await standstill(round);
  killed.kill("SIGKILL");
  const before = await soon(killed.ended, "the aggregator to be killed");
  const stopped = await round.replaceAggregator(paged(), PRINT);
  stopped.pauseOutput();
  await round.publisher.publishMore();
  await moment(round);
  const stopping = round.stopAggregator();
  await delay(SLEEP_MS);
  stopped.resumeOutput();
  await stopping;
  const after = await stopped.ended;
  const printed = new Set([...before.output, ...after.output]);
  const committed = await round.task.history(from);
  const missing = committed.filter((row) => !printed.has(row));
  if (missing.length === 0) return;
  round.problem(`slow-reader: ${missing.length} of ${committed.length} committed rows were never printed`);
}

/** Resolves when the aggregator commits no more rows: its reader sleeps, and nobody can tell how much fits in between. */
async function standstill({ task }: Round): Promise<void> {
  for (let before = "", now = await task.historyEnd(); before !== now;) {
    before = now;
    await delay(SLEEP_MS);
    now = await task.historyEnd();
  }
}

function requireRefusal(round: Round, end: ProgramEnd, code: string, what: string): void {
  if (end.code === EXIT_CODES.failure && end.log.some((line) => line["code"] === code)) return;
  round.problem(`${what}: the aggregator ended otherwise than with ${code}: ${endingOf(end)}`);
}

function ignore(): undefined {
  return undefined;
}

function dieAt(place: DeathPlace): Fault {
  const large = place === "staged" || place === "made";
  return {
    needs: (random) => ({
      mode: large ? "large" : "paged",
      death: { place, passes: large ? 0 : random.below(10) },
    }),
    strike: async (round) => {
      await round.publisher.publishMore();
      const end = await soon(round.aggregator.ended, `the aggregator to die at ${place}`);
      if (end.log.some(({ event }) => event === "dying")) round.died(place);
      else round.problem(`${place}: the aggregator ended otherwise: ${endingOf(end)}`);
    },
  };
}
