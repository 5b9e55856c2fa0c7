import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EXIT_CODES } from "@millrace/cli";
import { Dataflow, IterableSource, SILENT_LOGGER, run } from "@millrace/dataflow";
import type { Logger } from "@millrace/dataflow";
import { startProgram } from "@millrace/local-redis/programs";
import type { ProgramEnd, StartedProgram } from "@millrace/local-redis/programs";
import { RedisStreamSink, partitionNames } from "@millrace/redis-source";
import { lineOf } from "../click.ts";
import type { TestEvent } from "../click.ts";
import type { CrashTestConfig } from "../config.ts";
import { DURABLE, endingOf, soon } from "../conductor/bed.ts";
import { compare } from "../conductor/compare.ts";
import { expectedOf } from "../conductor/expected.ts";
import { makeEvents } from "../conductor/make-events.ts";
import { Random } from "../conductor/random.ts";
import { TestBed } from "../conductor/test-bed.ts";
import { CrashTestFailure } from "../crash-test-failure.ts";
import { CHANNEL, WINDOW_MS } from "../names.ts";
import { readShares } from "../shares/read-shares.ts";
import { zoneOf } from "../shares/steady-publisher.ts";
import { judgeSteps } from "./judge-added.ts";
import type { Added } from "./judge-added.ts";
import type { Version } from "./versions.ts";

/** Published while a version runs. */
const PORTION = 1_500;
const EVENTS_PER_S = 1_000;
const PAUSE_MS = 20;
/** Partitions and lease of workers that share. */
const SHARED = { partitions: 4, leaseMs: 1_000 };
/** Published while two versions share. */
const SHARED_EVENTS = 3_000;
const SHARED_EVENTS_PER_S = 300;
/** Longer than the time between commits of every task. */
const COMMITTED_MS = 1_500;
/** A version dies in one of its first commits, which move the state to where it keeps it. Only large ones are staged, as those are. */
const DEATHS = [
  "before-commit:0",
  "before-commit:1",
  "staged:0",
  "made:0",
  "after-commit:0",
  "after-commit:2",
];
/** What a round deploys, one after the other. */
const DEPLOYMENTS: readonly Version[] = ["first", "second", "back", "second", "back"];

/** What came of deployments. */
export interface DeployReport {
  readonly events: number;
  readonly rows: number;
  /** Empty: the results are exact, and what must be refused was. */
  readonly problems: readonly string[];
}

/** Rounds of {@link runDeploy}. @throws CrashTestFailure */
export async function runDeployRounds(
  { rounds, seed }: CrashTestConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let number = 1; number <= rounds && !signal.aborted; number += 1) {
    const random = new Random(seed + number - 1);
    const { problems: ofDeployments, ...figures } = await runDeploy(random, DEPLOYMENTS);
    const rolling = await runRolling(random);
    const problems = [...ofDeployments, ...rolling.problems];
    for (const problem of problems) process.stdout.write(`${problem}\n`);
    if (problems.length > 0) {
      const again = `run it again with --deploy --seed=${seed + number - 1} --rounds=1`;
      throw new CrashTestFailure(`round ${number} failed with ${problems.length} differences; ${again}`);
    }
    logger.info({ event: "round-passed", number, ...figures }, `round ${number}: results equal the input`);
  }
  process.stdout.write(
    `passed: ${rounds} rounds of seed ${seed}, each with ${DEPLOYMENTS.length} deployments\n`,
  );
}

/**
 * Deploys versions of a flow while events are published: one that adds steps and migrates others, and back. Each dies in one of
 * its first commits, is started again, and is stopped or killed. The results must equal the input.
 *
 * @param versions the first one, then what is deployed over it
 * @throws Error when it gets stuck
 */
export async function runDeploy(random: Random, versions: readonly Version[]): Promise<DeployReport> {
  const bed = await TestBed.open({ args: DURABLE });
  const deploy = new Deploy(bed, random, 1);
  try {
    return await deploy.run(versions);
  } finally {
    await deploy.end();
    await bed.close();
  }
}

/**
 * Two versions share partitions. The workers of the newer one die, so that the older ones get partitions of theirs: they must
 * refuse them and end, and the newer version continues. The results must equal the input.
 *
 * @throws Error when it gets stuck
 */
export async function runRolling(random: Random): Promise<DeployReport> {
  const bed = await TestBed.open({ args: DURABLE });
  const deploy = new Deploy(bed, random, SHARED.partitions);
  try {
    return await deploy.roll();
  } finally {
    await deploy.end();
    await bed.close();
  }
}

class Deploy {
  readonly #bed: TestBed;
  readonly #random: Random;
  readonly #partitions: number;
  readonly #problems: string[] = [];
  readonly #programs: StartedProgram[] = [];
  readonly #published: TestEvent[] = [];
  readonly #added: Added[] = [];
  #deployment = 1;

  constructor(bed: TestBed, random: Random, partitions: number) {
    this.#bed = bed;
    this.#random = random;
    this.#partitions = partitions;
  }

  async run(versions: readonly Version[]): Promise<DeployReport> {
    const events = [...makeEvents(PORTION * versions.length, this.#random)];
    const file = await this.#bed.writeInput(events);
    for (const [index, version] of versions.entries()) {
      const portion = events.slice(index * PORTION, (index + 1) * PORTION);
      this.#deployment = index + 1;
      this.#begins(version, false);
      const published = this.#publish(portion, EVENTS_PER_S);
      if (index > 0) await this.#deploy(version);
      await this.#serve(version, published);
      if (version === "second") await this.#refused("first");
    }
    return this.#judge(file, "back");
  }

  async roll(): Promise<DeployReport> {
    const events = [...makeEvents(SHARED_EVENTS, this.#random)];
    const file = await this.#bed.writeInput(events);
    const published = this.#publish(events, SHARED_EVENTS_PER_S);
    const older = await this.#share("first");
    this.#deployment = 2;
    const newer = await this.#share("second");
    for (const worker of newer) worker.kill("SIGKILL");
    for (const worker of older)
      this.#judgeRefusal(await soon(worker.ended, "an older worker to end"), "first");
    this.#begins("second", true);
    const last = await this.#share("second");
    await soon(published, "the publisher to end");
    for (const worker of last) {
      worker.kill("SIGTERM");
      const end = await soon(worker.ended, "a worker to end");
      if (end.code !== EXIT_CODES.ok) this.#problems.push(`a worker that was to stop had ${endingOf(end)}`);
    }
    return this.#judge(file, "second");
  }

  /** Two workers of a version, which have committed what they got. */
  async #share(version: Version): Promise<readonly StartedProgram[]> {
    const lease = `--lease-ms=${SHARED.leaseMs}`;
    const workers = [this.#start(version, [lease]), this.#start(version, [lease])];
    for (const worker of workers) await soon(worker.logged("reading"), "a worker to read");
    await delay(COMMITTED_MS);
    return workers;
  }

  /** The version before has ended. @param closes whether this one is the last */
  #begins(version: Version, closes: boolean): void {
    if (version !== "second") return;
    this.#added.push({ deployment: this.#deployment, since: Date.now(), closes });
  }

  /** @param last the version that closes the windows */
  async #judge(file: string, last: Version): Promise<DeployReport> {
    const end = await soon(this.#start(last, ["--close"]).ended, "the last version to end");
    if (end.code !== EXIT_CODES.ok) this.#problems.push(`the last version had ${endingOf(end)}`);
    const client = this.#bed.client();
    try {
      const results = await readShares(client, partitionNames(CHANNEL, this.#partitions));
      this.#problems.push(...compare(await expectedOf(file, WINDOW_MS), results));
      this.#problems.push(...(await judgeSteps(client, this.#partitions, this.#published, this.#added)));
      return { events: this.#published.length, rows: results.history.length, problems: this.#problems };
    } finally {
      client.disconnect();
    }
  }

  async end(): Promise<void> {
    for (const program of this.#programs) program.kill("SIGKILL");
    await Promise.all(this.#programs.map(({ ended }) => ended));
  }

  /** Publishes events at a steady rate, to the last one. */
  async #publish(events: readonly TestEvent[], perS: number): Promise<void> {
    const flow = new Dataflow("publish");
    const sink = new RedisStreamSink(
      { url: this.#bed.url },
      {
        stream: CHANNEL,
        partitions: this.#partitions,
        partitionedBy: "os_timezone",
        keyOf: zoneOf,
        batch: 16,
      },
    );
    flow
      .input("lines", new IterableSource(this.#paced(events, (perS * PAUSE_MS) / 1_000)))
      .output("redis", sink);
    await run(flow, { logger: SILENT_LOGGER });
  }

  /** The version dies in one of its first commits. */
  async #deploy(version: Version): Promise<void> {
    const death = this.#random.pick(DEATHS);
    const end = await soon(this.#start(version, [`--die-at=${death}`]).ended, `a death at ${death}`);
    if (end.code !== null) this.#problems.push(`a version that was to die at ${death} had ${endingOf(end)}`);
  }

  /** Runs a version until its portion is published, and then stops or kills it. */
  async #serve(version: Version, published: Promise<void>): Promise<void> {
    const program = this.#start(version);
    await soon(program.logged("reading"), "a version to read");
    await soon(published, "the publisher to end");
    await delay(this.#random.below(500));
    const signal = this.#random.pick(["SIGTERM", "SIGKILL"] as const);
    program.kill(signal);
    const end = await soon(program.ended, "a version to end");
    const wanted = signal === "SIGTERM" ? EXIT_CODES.ok : null;
    if (end.code !== wanted) this.#problems.push(`a version that got a ${signal} had ${endingOf(end)}`);
  }

  /** A version that does not know the state of a later one must leave it as it is. */
  async #refused(version: Version): Promise<void> {
    this.#judgeRefusal(await soon(this.#start(version, [], 1).ended, "a version to be refused"), version);
  }

  #judgeRefusal({ log }: ProgramEnd, version: Version): void {
    const code = log.find(({ event }) => event === "failed")?.["code"];
    if (code !== "MILLRACE_STATE_MISMATCH") {
      this.#problems.push(`the ${version} version over the state of the second: ${String(code)}`);
    }
  }

  async *#paced(events: readonly TestEvent[], perPause: number): AsyncGenerator<string> {
    for (const [index, event] of events.entries()) {
      if (index % perPause === 0) await delay(PAUSE_MS);
      // The clock may be set back.
      const published = Math.max(Date.now(), this.#published.at(-1)?.published ?? 0);
      this.#published.push({ ...event, published });
      yield lineOf({ ...event, published });
    }
  }

  #start(version: Version, more: readonly string[] = [], deployment = this.#deployment): StartedProgram {
    const main = join(import.meta.dirname, "../../dist/deploy/main.js");
    const args = [
      `--url=${this.#bed.url}`,
      `--flow-version=${version}`,
      `--deployment=${deployment}`,
      `--partitions=${this.#partitions}`,
      ...more,
    ];
    const program = startProgram(main, { args });
    this.#programs.push(program);
    return program;
  }
}
