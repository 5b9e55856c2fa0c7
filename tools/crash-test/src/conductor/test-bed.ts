import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { startProgram } from "@millrace/cli";
import type { ProgramEnd, StartedProgram } from "@millrace/cli";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis, LocalRedisOptions } from "@millrace/local-redis";
import { lineOf } from "../click.ts";
import type { TestEvent } from "../click.ts";
import { FlakyProxy } from "./flaky-proxy.ts";

/** Every command is on disk before its answer: what a killed Redis has acknowledged is there when it is back. */
export const DURABLE: readonly string[] = ["--appendonly", "yes", "--appendfsync", "always"];

/** What this process was started from, source or build, its children are too. */
const EXTENSION = import.meta.filename.endsWith(".ts") ? "ts" : "js";
const PATIENCE_MS = 60_000;

/** A Redis, a way to it for publisher and aggregator each, and these as processes. */
export class TestBed {
  readonly redis: LocalRedis;
  readonly toPublisher: FlakyProxy;
  readonly toAggregator: FlakyProxy;
  readonly #programs = new Set<StartedProgram>();

  /** @param options of the Redis; its directory is a fresh one, removed at the end */
  static async open(options: LocalRedisOptions = {}): Promise<TestBed> {
    const redis = await startRedis(options);
    return new TestBed(redis, await FlakyProxy.start(redis), await FlakyProxy.start(redis));
  }

  private constructor(redis: LocalRedis, toPublisher: FlakyProxy, toAggregator: FlakyProxy) {
    this.redis = redis;
    this.toPublisher = toPublisher;
    this.toAggregator = toAggregator;
  }

  /** Writes the publisher's input. @returns the file's path */
  async writeInput(events: Iterable<TestEvent>): Promise<string> {
    const path = join(this.redis.dir, "input.jsonl");
    const file = createWriteStream(path);
    for (const event of events) file.write(`${lineOf(event)}\n`);
    file.end();
    await once(file, "finish");
    return path;
  }

  /** Resolves when it waits for its first portion. */
  async startPublisher(args: readonly string[]): Promise<StartedProgram> {
    return this.#start("publisher", [`--url=${this.toPublisher.url}`, ...args], ["ready"]);
  }

  /** Resolves when it reads, unless it ends before. */
  async startAggregator(args: readonly string[]): Promise<StartedProgram> {
    const reads = ["reading", "subscribed"];
    return this.#start("aggregator", [`--url=${this.toAggregator.url}`, ...args], reads);
  }

  /** Kills what runs, and cleans up. */
  async close(): Promise<void> {
    for (const program of this.#programs) program.kill("SIGKILL");
    await Promise.all([...this.#programs].map(({ ended }) => ended));
    await Promise.all([this.toPublisher.close(), this.toAggregator.close()]);
    await this.redis.stop();
  }

  async #start(name: string, args: readonly string[], ready: readonly string[]): Promise<StartedProgram> {
    const main = join(import.meta.dirname, "..", name, `main.${EXTENSION}`);
    const program = startProgram(main, { args });
    this.#programs.add(program);
    const ended = program.ended.then(() => this.#programs.delete(program));
    await soon(
      Promise.race([...ready.map((event) => program.logged(event)), ended]),
      `the ${name} to be ready`,
    );
    return program;
  }
}

/** Fails when something takes so long that it will not happen any more. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`waited ${PATIENCE_MS} ms in vain for ${what}`));
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How a program ended, for people. */
export function endingOf({ code, log, complaints }: ProgramEnd): string {
  const last = [...complaints, ...log.filter(({ level }) => level === "error").map(({ msg }) => msg)].at(-1);
  return `${code === null ? "was killed" : `exit code ${code}`}${last === undefined ? "" : ` (${last})`}`;
}
