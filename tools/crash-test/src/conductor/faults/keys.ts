import { soon } from "../bed.ts";
import type { Round } from "../round.ts";
import type { TestBed } from "../test-bed.ts";
import { anyMode, ignore, moment, requireRefusal } from "./fault.ts";

export async function wrongTypeOfResult(round: Round<TestBed>): Promise<void> {
  await occupyKey(round, () => round.task.resultKey(round.random));
}

export async function wrongTypeOfState(round: Round<TestBed>): Promise<void> {
  await occupyKey(round, () => round.task.stateKey(round.random));
}

/** Incomplete state must be refused; after a reset the events are counted again. */
export async function evict(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  await round.stopAggregator();
  const key = await round.task.evict(round.random);
  const heir = await round.replaceAggregator(anyMode());
  const end = await Promise.race([heir.ended, round.task.nextCommit(heir.ended).then(ignore)]);
  if (end !== undefined) requireRefusal(round, end, "MILLRACE_STORE_STATE_INCOMPLETE", `${key} is gone`);
  else {
    round.problem(`${key} is gone: the aggregator continued with the rest`);
    await round.stopAggregator();
  }
  await round.task.reset("remove-results");
}

/** After a reset, old rows must be replaced by the rows that are counted again. */
export async function recount(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  await round.stopAggregator();
  await round.task.reset("keep-results");
}

/** A foreign value in a key of the next commit: the commit must fail as a whole, and succeed once the value is gone. */
async function occupyKey(round: Round<TestBed>, choose: () => Promise<string>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  const key = await choose();
  const free = await round.task.occupy(key);
  // Makes sure that there is something to commit.
  await round.publisher.publishMore();
  const end = await soon(round.aggregator.ended, `the aggregator to find ${key} of a wrong type`);
  requireRefusal(round, end, "MILLRACE_STORE_KEY_OCCUPIED", `${key} is of a wrong type`);
  await free();
}
