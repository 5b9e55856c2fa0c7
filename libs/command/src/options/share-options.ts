import { availableParallelism } from "node:os";
import { UsageError, integer } from "@millrace/cli";
import type { CommandLine, Transport } from "@millrace/cli";
import { parseDuration } from "@millrace/windowing/options";

/** The variable by which a process knows that another one started it to share the work. */
export const WORKER_VARIABLE = "MILLRACE_WORKER_PROCESS";

/** How a worker shares partitions with others. */
export interface ShareSettings {
  /** How long it keeps its partitions without a heartbeat, ms. */
  readonly leaseMs: number;
  /** How many processes of this machine do the work. */
  readonly processes: number;
}

/** The options of a run that sharing depends on. */
export interface ShareContext {
  readonly file: string | undefined;
  readonly transport: Transport;
  readonly store: "none" | "redis";
  /** `undefined`: all. */
  readonly tasks: readonly string[] | undefined;
  readonly exitWhenIdleMs: number;
  readonly lateFile: string | undefined;
}

const SHORTEST_LEASE_MS = 500;

/**
 * Declares the options of workers that share partitions.
 *
 * @returns their value beside the other options, `undefined` for a worker on its own; it throws a UsageError for options
 *   that cannot work together
 */
export function shareOptions(
  cli: CommandLine,
  env: Readonly<Record<string, string | undefined>>,
): (context: ShareContext) => ShareSettings | undefined {
  const share = cli.toggle({
    flag: "--share",
    env: "MILLRACE_SHARE",
    description:
      "share the partitions with all workers of this flow that have this option, on any machines: they find each other in Redis, and take over from those that stop or crash",
  });
  const lease = cli.option(
    {
      flag: "--lease <duration>",
      env: "MILLRACE_LEASE",
      description:
        "with --share or --processes: how long a worker keeps its partitions without a heartbeat, so that those of one that crashed stand still for so long",
      parse: leaseOf,
      defaultText: "10s",
    },
    10_000,
  );
  const processes = cli.option({
    flag: "--processes <number>",
    env: "MILLRACE_PROCESSES",
    description:
      "run so many processes on this machine, which share the partitions as with --share; one that dies is started again, and --http shows all of them. auto: as many as there are CPUs",
    parse: processesOf,
    defaultText: "1, which shares with none",
  });
  return (context) => {
    if (!share() && processes() === undefined) {
      cli.withoutEffect(lease, "it needs --share or --processes");
      return undefined;
    }
    requireShareable(share() ? "--share" : "--processes", context);
    // A process that another one started is one of them.
    const count = env[WORKER_VARIABLE] === undefined ? (processes() ?? 1) : 1;
    return { leaseMs: lease(), processes: count };
  };
}

/** @throws UsageError */
function requireShareable(
  option: string,
  { file, transport, store, tasks, exitWhenIdleMs, lateFile }: ShareContext,
): void {
  const refuse = (why: string): never => {
    throw new UsageError(`${option}: ${why}`);
  };
  if (file !== undefined)
    refuse("events come from a file (--file), which one worker reads; leave one of them out");
  if (transport !== "stream" && transport !== "kafka")
    refuse(
      `with --transport=${transport} events would be lost while a partition goes from one worker to another; use --transport=stream or kafka, also for the publisher`,
    );
  if (store === "none")
    refuse("without stored state no worker could continue what another began; leave --store=none out");
  if (tasks !== undefined) refuse("the workers divide the partitions among themselves; leave --tasks out");
  if (exitWhenIdleMs !== Infinity)
    refuse(
      "this worker cannot see whether the others are idle; leave --exit-when-idle out, and stop the workers",
    );
  if (lateFile !== undefined) refuse("another worker could not continue the file of --late; leave it out");
}

function leaseOf(given: string): number {
  const leaseMs = parseDuration(given);
  if (leaseMs >= SHORTEST_LEASE_MS) return leaseMs;
  throw new RangeError(`${given} is too short: give at least ${SHORTEST_LEASE_MS}ms, for ten heartbeats`);
}

function processesOf(given: string): number {
  return given === "auto" ? availableParallelism() : integer(1, 1_024)(given);
}
