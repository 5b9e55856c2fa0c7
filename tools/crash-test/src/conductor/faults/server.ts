import { setTimeout as delay } from "node:timers/promises";
import { endingOf, soon } from "../bed.ts";
import type { Round } from "../round.ts";
import type { TestBed } from "../test-bed.ts";
import { ignore, moment } from "./fault.ts";

export async function killRedis(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  await round.bed.redis.kill();
  await round.bed.redis.restart();
}

/** Redis first does not answer, then is gone: both programs must wait, and continue when it is back. */
export async function storeAway(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  const { redis } = round.bed;
  await redis.kill("SIGSTOP");
  await delay(round.awayMs / 2);
  await redis.kill();
  await delay(round.awayMs / 2);
  await redis.restart();
  const { ended } = round.aggregator;
  const back = Promise.race([ended, round.task.nextCommit(ended).then(ignore)]);
  const end = await soon(back, "a commit to the store that is back");
  if (end !== undefined) round.problem(`store-away: the aggregator did not wait: ${endingOf(end)}`);
}
