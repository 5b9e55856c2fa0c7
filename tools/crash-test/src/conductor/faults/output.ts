import { setTimeout as delay } from "node:timers/promises";
import type { ProgramEnd } from "@millrace/local-redis/programs";
import { soon } from "../bed.ts";
import type { Round } from "../round.ts";
import type { TestBed } from "../test-bed.ts";
import { moment, paged, requireRefusal } from "./fault.ts";

/** Longer than open handles may keep a finished program alive. */
const SLEEP_MS = 700;
const PRINT: readonly string[] = ["--print=true"];
/** A device on which every write fails, like a full disk. */
const FULL_DISK = "/dev/full";

/** The reader of the rows sleeps: committed rows must reach it all the same, whether the aggregator is killed or stopped. */
export async function slowReader(round: Round<TestBed>): Promise<void> {
  const from = await endOfHistory(round);
  const killed = await round.replaceAggregator(paged(), PRINT);
  killed.pauseOutput();
  // More than the pipe and Node's buffers at both ends can hold.
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
  await requirePrinted(round, from, [before, await stopped.ended]);
}

/** The run must fail with the reason; no row counts as written, and the next run, with free space, prints them all. */
export async function fullDisk(round: Round<TestBed>): Promise<void> {
  const from = await endOfHistory(round);
  const full = await round.replaceAggregator(paged(), PRINT, FULL_DISK);
  await round.publisher.publishMore();
  const end = await soon(full.ended, "the aggregator to meet the full disk");
  requireRefusal(round, end, "MILLRACE_SINK_FAILED", "the disk is full");
  if (!end.log.some(({ msg }) => msg.includes("ENOSPC")))
    round.problem("full-disk: the log does not mention the disk");
  const heir = await round.replaceAggregator(paged(), PRINT);
  await round.publisher.publishMore();
  await soon(
    heir.printed(() => true),
    "the first row with room again",
  );
  await round.stopAggregator();
  await requirePrinted(round, from, [await heir.ended]);
}

/**
 * Stops the aggregator. It has committed before, so that no commit of one that was killed is left for the next owner to
 * finish: its rows would be in the history after this end, and were not printed.
 *
 * @returns where the history ends
 */
async function endOfHistory(round: Round<TestBed>): Promise<string> {
  await round.publisher.publishMore();
  await soon(round.aggregator.logged("committed"), "a commit before the fault");
  await round.stopAggregator();
  return round.task.historyEnd();
}

/** Every row committed since then must be in the output of one of these runs. */
async function requirePrinted(
  round: Round<TestBed>,
  from: string,
  runs: readonly ProgramEnd[],
): Promise<void> {
  const printed = new Set(runs.flatMap(({ output }) => output));
  const committed = await round.task.history(from);
  const missing = committed.filter((row) => !printed.has(row));
  if (missing.length === 0) return;
  round.problem(`${missing.length} of ${committed.length} committed rows were never printed`);
}

/** Resolves when the aggregator commits no more rows, since its reader sleeps and the buffers between are full. */
async function standstill({ task }: Round<TestBed>): Promise<void> {
  for (let before = "", now = await task.historyEnd(); before !== now;) {
    before = now;
    await delay(SLEEP_MS);
    now = await task.historyEnd();
  }
}
