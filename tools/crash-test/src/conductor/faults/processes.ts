import { EXIT_CODES } from "@millrace/cli";
import type { DeathPlace } from "../../aggregator/death.ts";
import { endingOf, soon } from "../bed.ts";
import type { TestBed } from "../test-bed.ts";
import type { Fault, Round } from "../round.ts";
import { moment, paged } from "./fault.ts";

export async function kill(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  round.aggregator.kill("SIGKILL");
  await round.aggregator.ended;
}

export async function stop(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  await round.stopAggregator();
}

/** The old owner resumes after a commit of the new one, detects that it is no longer the owner, and must stop. */
export async function twoOwners(round: Round<TestBed>): Promise<void> {
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
  if (end === undefined) round.problem("two-owners: the old owner continued beside the new one");
  else if (end.code !== EXIT_CODES.fenced) {
    round.problem(`two-owners: the old owner ended otherwise than fenced: ${endingOf(end)}`);
  }
}

/** The aggregator kills itself at this fail point. */
export function dieAt(place: DeathPlace): Fault<TestBed> {
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
