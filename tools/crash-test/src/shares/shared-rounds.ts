import { join } from "node:path";
import { messageOf } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import { startKafka } from "@millrace/local-kafka";
import { Random } from "../conductor/random.ts";
import type { CrashTestConfig } from "../config.ts";
import { CrashTestFailure, requireExact } from "../crash-test-failure.ts";
import { KAFKA_TROUBLES, STREAM_TROUBLES, runShares } from "./run-shares.ts";
import type { Troubles } from "./run-shares.ts";
import { SHORT_SESSIONS } from "./sharing.ts";
import type { Way } from "./sharing.ts";

/** Workers share the partitions of a Redis stream. @throws CrashTestFailure */
export async function streamRounds(
  config: CrashTestConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  await sharedRounds("--shares", [{ kind: "streams" }], STREAM_TROUBLES, { config, logger, signal });
}

/** Workers share the partitions of a topic, in each round first by the command and then by Kafka's group. @throws CrashTestFailure */
export async function kafkaRounds(
  config: CrashTestConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const kafka = await startKafka({ properties: SHORT_SESSIONS });
  try {
    const ways: readonly Way[] = [
      { kind: "command", kafka },
      { kind: "group", kafka },
    ];
    await sharedRounds("--kafka", ways, KAFKA_TROUBLES, { config, logger, signal });
  } finally {
    await kafka.stop();
  }
}

interface Running {
  readonly config: CrashTestConfig;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Each round has every trouble twice, but the harmless one once, at first. */
async function sharedRounds(
  flag: string,
  ways: readonly Way[],
  [gentle, ...others]: Troubles,
  { config, logger, signal }: Running,
): Promise<void> {
  const { rounds, seed, without, evidence } = config;
  const takeOvers: number[] = [];
  for (let number = 1; number <= rounds; number += 1) {
    for (const way of ways) {
      if (signal.aborted) return;
      const random = new Random(seed + number - 1);
      const troubles = [gentle, ...random.shuffled([...others, ...others])];
      const round = `round ${number} of seed ${seed} (${way.kind})`;
      logger.info(
        { event: "round", number, seed, way: way.kind, troubles },
        `${round}: ${troubles.join(", ")}`,
      );
      const again = `run it again with ${flag} --seed=${seed + number - 1} --rounds=1`;
      const folder = evidence && join(evidence, `${seed + number - 1}-${way.kind}`);
      const plan = { random, troubles, without, way, evidence: folder };
      const report = await runShares(plan).catch((error: unknown) => {
        throw new CrashTestFailure(`${round} got stuck: ${messageOf(error)}; ${again}`, { cause: error });
      });
      const { problems, takeOversMs, ...figures } = report;
      requireExact(problems, round, again);
      takeOvers.push(...takeOversMs);
      logger.info(
        { event: "round-passed", number, way: way.kind, takeOversMs, ...figures },
        `${round}: results equal the input`,
      );
    }
  }
  process.stdout.write(
    `passed: ${rounds} rounds of seed ${seed}; after each trouble all partitions had a worker within ${Math.max(...takeOvers)} ms\n`,
  );
}
