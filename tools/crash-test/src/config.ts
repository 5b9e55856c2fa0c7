import { CommandLine, integer, logOptions, oneOf, text } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { parseDuration } from "@millrace/windowing";
import { FAULT_NAMES } from "./conductor/faults/index.ts";
import { GUARDS } from "./guard.ts";
import type { Guard } from "./guard.ts";

/** Configuration of the crash test. */
export interface CrashTestConfig extends ProgramConfig {
  readonly rounds: number;
  /** Decides everything except the scheduling of the machine. */
  readonly seed: number;
  /** Names of faults for each round, in order; `undefined`: all, in random order. */
  readonly faults: readonly string[] | undefined;
  readonly without: Guard | undefined;
  /** Whether several workers share partitions, in place of the faults. */
  readonly shares: boolean;
  /** Whether versions of the flow are deployed one after the other, in place of the faults. */
  readonly deploy: boolean;
  /** Whether they share a topic of a real Kafka, in place of the faults. */
  readonly kafka: boolean;
  /** Where a failed round of workers that share leaves what it was; `undefined`: it leaves nothing. */
  readonly evidence: string | undefined;
  /** How long Redis is unreachable in `store-away`, ms. */
  readonly awayMs: number;
}

/** @throws UsageError, HelpShown */
export function crashTestConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): CrashTestConfig {
  const cli = new CommandLine(
    "crash-test",
    "Counts events while all parts crash, and compares the results with the publisher's input.",
  );
  const rounds = cli.option(
    {
      flag: "--rounds <number>",
      env: "CRASH_ROUNDS",
      description: "how many rounds; each injects every fault once, in about three minutes",
      parse: integer(1, 1_000_000),
    },
    1,
  );
  const seed = cli.option(
    {
      flag: "--seed <number>",
      env: "CRASH_SEED",
      description: "decides input, faults and their times; the same seed repeats the test",
      parse: integer(0, 2 ** 31),
      defaultText: "random",
    },
    Math.floor(Math.random() * 2 ** 31),
  );
  const faults = cli.option({
    flag: "--faults <names>",
    env: "CRASH_FAULTS",
    description: `faults of each round, in order, separated by commas: ${FAULT_NAMES.join(", ")}`,
    parse: (given) => given.split(",").map(oneOf(FAULT_NAMES)),
    defaultText: "all, in random order",
  });
  const without = cli.option({
    flag: "--without <guard>",
    env: "CRASH_WITHOUT",
    description: `switches a guard off; the test must fail then: ${GUARDS.join(", ")}`,
    parse: oneOf(GUARDS),
  });
  const shares = cli.toggle({
    flag: "--shares",
    env: "CRASH_SHARES",
    description:
      "in place of the faults: workers that share eight partitions join, leave, are killed, stall, and Redis is restarted",
  });
  const deploy = cli.toggle({
    flag: "--deploy",
    env: "CRASH_DEPLOY",
    description:
      "in place of the faults: versions of the flow with another step and another fold are deployed, and back",
  });
  const kafka = cli.toggle({
    flag: "--kafka",
    env: "CRASH_KAFKA",
    description:
      "the same over Kafka, by the command with --share and by Kafka's own group; the broker is restarted, too",
  });
  const evidence = cli.option({
    flag: "--evidence <folder>",
    env: "CRASH_EVIDENCE",
    description:
      "where a failed round of --shares or --kafka leaves its workers' logs, its results and the entries of its streams",
    parse: text,
    defaultText: "none",
  });
  const awayMs = cli.option(
    {
      flag: "--away <duration>",
      env: "CRASH_AWAY",
      description: "how long Redis is away in store-away",
      parse: parseDuration,
      defaultText: "60s",
    },
    60_000,
  );
  const log = logOptions(cli);
  cli.parse(args, env);
  return {
    rounds: rounds(),
    seed: seed(),
    faults: faults(),
    without: without(),
    shares: shares(),
    deploy: deploy(),
    kafka: kafka(),
    evidence: evidence(),
    awayMs: awayMs(),
    log: log(),
  };
}
