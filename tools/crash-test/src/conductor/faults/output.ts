import { setTimeout as delay } from "node:timers/promises";
import type { ProgramEnd } from "@millrace/local-redis/programs";
import { soon } from "../bed.ts";
import type { Round } from "../round.ts";
import type { TestBed } from "../test-bed.ts";
import { moment, paged, requireRefusal } from "./fault.ts";

/** Longer than a program that is done waits for what it forgot. */
const SLEEP_MS = 700;
const PRINT: readonly string[] = ["--print=true"];
/** Takes nothing, as a disk without room. */
const FULL_DISK = "/dev/full";

/** Whoever reads the rows sleeps: what is committed must have come to them all the same, killed or stopped. */
export async function slowReader(round: Round<TestBed>): Promise<void> {
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
  await requirePrinted(round, from, [before, await stopped.ended]);
}

/** The run must end and say why; no row counts as out, and the next run, which has room again, prints them all. */
export async function fullDisk(round: Round<TestBed>): Promise<void> {
  await round.stopAggregator();
  const from = await round.task.historyEnd();
  const full = await round.replaceAggregator(paged(), PRINT, FULL_DISK);
  await round.publisher.publishMore();
  const end = await soon(full.ended, "the aggregator to meet the full disk");
  requireRefusal(round, end, "MILLRACE_SINK_FAILED", "the disk is full");
  if (!end.log.some(({ msg }) => msg.includes("ENOSPC"))) round.problem("full-disk: no word of the disk");
  const heir = await round.replaceAggregator(paged(), PRINT);
  await round.publisher.publishMore();
  await soon(
    heir.printed(() => true),
    "the first row with room again",
  );
  await round.stopAggregator();
  await requirePrinted(round, from, [await heir.ended]);
}

/** Every row that was committed since must be in the output of one of these runs. */
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

/** Resolves when the aggregator commits no more rows: its reader sleeps, and how much fits in between is not known. */
async function standstill({ task }: Round<TestBed>): Promise<void> {
  for (let before = "", now = await task.historyEnd(); before !== now;) {
    before = now;
    await delay(SLEEP_MS);
    now = await task.historyEnd();
  }
}
