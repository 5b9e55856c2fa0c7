import { setTimeout as delay } from "node:timers/promises";
import { EXIT_CODES } from "@millrace/cli";
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
