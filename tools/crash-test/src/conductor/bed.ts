import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { startProgram } from "@millrace/local-redis/programs";
import type { ProgramEnd, StartProgramOptions, StartedProgram } from "@millrace/local-redis/programs";
import { lineOf } from "../click.ts";
import type { TestEvent } from "../click.ts";

/** Every command is on disk before its reply: what a killed Redis has acknowledged survives its restart. */
export const DURABLE: readonly string[] = ["--appendonly", "yes", "--appendfsync", "always"];

/** Children run the build, from whichever of the two this file runs: it starts in a third of the time. */
const BUILD = join(import.meta.dirname, "../../dist");
const PATIENCE_MS = 60_000;

/** Addresses of Redis, as options of the programs. */
interface Ways {
  readonly publisher: string;
  readonly aggregator: string;
}

/** A Redis of some kind, with publisher and aggregator as processes. */
export abstract class Bed {
  /** Direct address of the data, without the flaky proxies. */
  abstract readonly url: string;
  readonly #ways: Ways;
  readonly #dir: string;
  readonly #programs = new Set<StartedProgram>();

  /** @param dir removed at the end */
  protected constructor(ways: Ways, dir: string) {
    this.#ways = ways;
    this.#dir = dir;
  }

  /** A client of {@link url}. Its errors are ignored, since it reconnects. */
  abstract client(): Redis;

  protected abstract stopServers(): Promise<void>;

  /** Writes the publisher's input. @returns the file's path */
  async writeInput(events: Iterable<TestEvent>): Promise<string> {
    const path = join(this.#dir, "input.jsonl");
    const file = createWriteStream(path);
    for (const event of events) file.write(`${lineOf(event)}\n`);
    file.end();
    await once(file, "finish");
    return path;
  }

  /** Starts the publisher, and resolves when it waits for its first portion. */
  async startPublisher(args: readonly string[]): Promise<StartedProgram> {
    return this.#start("publisher", { args: [`--url=${this.#ways.publisher}`, ...args] }, ["ready"]);
  }

  /**
   * Starts an aggregator, and resolves when it reads or has ended.
   *
   * @param options where its rows go, and who gets its log
   */
  async startAggregator(
    args: readonly string[],
    options: Pick<StartProgramOptions, "outputTo" | "onLog"> = {},
  ): Promise<StartedProgram> {
    const withUrl = [`--url=${this.#ways.aggregator}`, ...args];
    return this.#start("aggregator", { ...options, args: withUrl }, ["reading", "subscribed"]);
  }

  /** Starts the command `millrace run` with the test's flow, and resolves when it reads or has ended. */
  async startCommand(args: readonly string[]): Promise<StartedProgram> {
    const flow = join(BUILD, "command/flow.js");
    const env = { REDIS_URL: this.#ways.aggregator };
    return this.#start("command", { args: ["run", flow, ...args], env }, ["reading"]);
  }

  /** Kills all programs, and cleans up. */
  async close(): Promise<void> {
    for (const program of this.#programs) program.kill("SIGKILL");
    await Promise.all([...this.#programs].map(({ ended }) => ended));
    await this.stopServers();
  }

  async #start(
    name: string,
    options: StartProgramOptions,
    ready: readonly string[],
  ): Promise<StartedProgram> {
    const program = startProgram(join(BUILD, name, "main.js"), options);
    this.#programs.add(program);
    const ended = program.ended.then(() => this.#programs.delete(program));
    await soon(
      Promise.race([...ready.map((event) => program.logged(event)), ended]),
      `the ${name} to be ready`,
    );
    return program;
  }
}

/** Rejects if something takes longer than the timeout. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} did not happen within ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Describes how a program ended. */
export function endingOf({ code, log, complaints }: ProgramEnd): string {
  const last = [...complaints, ...log.filter(({ level }) => level === "error").map(({ msg }) => msg)].at(-1);
  return `${code === null ? "was killed" : `exit code ${code}`}${last === undefined ? "" : ` (${last})`}`;
}
