import { soon } from "../bed.ts";
import type { Round } from "../round.ts";
import type { TestBed } from "../test-bed.ts";
import { moment, since } from "./fault.ts";

/** How long a program may take to detect that a connection carries no data: twice the usual time, on a busy machine. */
const HALF_OPEN_MS = 30_000;

export async function cutAggregator(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  round.bed.toAggregator.cut();
}

export async function cutPublisher(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  round.bed.toPublisher.cut();
}

export async function loseCommitAnswer(round: Round<TestBed>): Promise<void> {
  const lost = round.bed.toAggregator.loseAnswer();
  await round.publisher.publishMore();
  await soon(lost, "a commit with rows");
}

export async function losePublishAnswer(round: Round<TestBed>): Promise<void> {
  const lost = round.bed.toPublisher.loseAnswer();
  await round.publisher.publishMore();
  await soon(lost, "an event to be published");
  round.expectResent();
}

/** Connections stay open but carry no more data: publisher and aggregator must detect that, and continue. */
export async function halfOpen(round: Round<TestBed>): Promise<void> {
  await round.publisher.publishMore();
  await moment(round);
  const { bed, aggregator, publisher, task } = round;
  const frozenAt = Date.now();
  bed.toAggregator.freeze();
  bed.toPublisher.freeze();
  await soon(
    Promise.all([
      aggregator.logged("redis-lost", since(frozenAt)),
      publisher.logged("redis-lost", since(frozenAt)),
      task.nextCommit(aggregator.ended),
    ]),
    "both ends to detect that their connections carry no data",
  );
  const tookMs = Date.now() - frozenAt;
  if (tookMs > HALF_OPEN_MS) round.problem(`half-open: it took ${tookMs} ms until both continued`);
}
