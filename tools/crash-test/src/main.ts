import { runProgram } from "@millrace/cli";
import { messageOf } from "@millrace/dataflow";
import { DEATHS } from "./aggregator/death.ts";
import { FAULT_NAMES } from "./conductor/faults/index.ts";
import { Random } from "./conductor/random.ts";
import { runRound } from "./conductor/run-round.ts";
import type { RoundReport } from "./conductor/round.ts";
import { crashTestConfig } from "./config.ts";
import { CrashTestFailure, requireExact } from "./crash-test-failure.ts";
import { runDeployRounds } from "./deploy/run-deploy.ts";
import { kafkaRounds, streamRounds } from "./shares/shared-rounds.ts";

/** Runs rounds until one fails or all have passed. */
await runProgram("crash-test", crashTestConfig, async ({ config, logger, signal }) => {
  const { rounds, seed, without, awayMs } = config;
  if (config.deploy) return runDeployRounds(config, logger, signal);
  if (config.shares) {
    await streamRounds(config, logger, signal);
    return;
  }
  if (config.kafka) {
    await kafkaRounds(config, logger, signal);
    return;
  }
  const reports: RoundReport[] = [];
  for (let number = 1; number <= rounds && !signal.aborted; number += 1) {
    // A seed for each round, so that a round does not depend on earlier ones.
    const random = new Random(seed + number - 1);
    const faults = config.faults ?? random.shuffled(FAULT_NAMES);
    logger.info({ event: "round", number, seed, faults }, `round ${number}: ${faults.join(", ")}`);
    const again = `run it again with --seed=${seed + number - 1} --rounds=1`;
    const report = await runRound({ faults, random, without, awayMs }).catch((error: unknown) => {
      const why = `round ${number} of seed ${seed} got stuck: ${messageOf(error)}; ${again}`;
      throw new CrashTestFailure(why, { cause: error });
    });
    reports.push(report);
    const { problems, ...figures } = report;
    requireExact(problems, `round ${number} of seed ${seed}`, again);
    logger.info({ event: "round-passed", number, ...figures }, `round ${number}: results equal the input`);
  }
  process.stdout.write(`${summaryOf(reports, seed)}\n`);
});

function summaryOf(reports: readonly RoundReport[], seed: number): string {
  const sum = (of: (report: RoundReport) => number): number =>
    reports.reduce((total, each) => total + of(each), 0);
  const deaths = DEATHS.map(
    (place) => `${place} ${sum((each) => each.deaths.filter((one) => one === place).length)}`,
  );
  return (
    `passed: ${reports.length} rounds of seed ${seed}, ${sum(({ events }) => events)} events, ` +
    `${sum(({ resent }) => resent)} sent again, ${sum(({ rows }) => rows)} rows, all exact; killed at ${deaths.join(", ")}`
  );
}
