import { endingOf, soon } from "../bed.ts";
import type { Round } from "../round.ts";
import type { SentinelBed } from "../sentinel-bed.ts";
import { ignore, since } from "./fault.ts";

/**
 * The primary dies while its replica lacks the newest commits but has all events. Both programs must find the new
 * primary; the aggregator must detect the lost commits, and count their events again.
 */
export async function failOver(round: Round<SentinelBed>): Promise<void> {
  const { group } = round.bed;
  const { aggregator, publisher, task } = round;
  await publisher.publishMore();
  await soon(aggregator.logged("committed"), "a commit before the failover");
  aggregator.kill("SIGSTOP");
  await publisher.publishMore();
  await publisher.portionArrived(task);
  await group.stopReplication();
  const continuedAt = Date.now();
  aggregator.kill("SIGCONT");
  // The first commit may be from before replication stopped.
  const { number: first } = await soon(
    aggregator.logged("committed", since(continuedAt)),
    "a commit after the stop",
  );
  await soon(
    aggregator.logged("committed", ({ number }) => Number(number) > Number(first)),
    "a commit that the replica does not get",
  );
  const old = await group.master();
  const killedAt = Date.now();
  await old.kill();
  await publisher.publishMore();
  await soon(group.successorOf(old), "the replica to be promoted");
  const { ended } = aggregator;
  const rolledBack = aggregator.logged("rolled-back", since(killedAt)).then(ignore, ignore);
  await soon(Promise.race([ended, rolledBack]), "the aggregator to notice the lost commits");
  const next = Promise.race([ended, task.nextCommit(ended).then(ignore)]);
  const end = await soon(next, "a commit after the failover");
  if (end !== undefined)
    round.problem(`sentinel-failover: the aggregator did not continue: ${endingOf(end)}`);
  // The old primary returns with commits that are discarded.
  await old.restart();
}
