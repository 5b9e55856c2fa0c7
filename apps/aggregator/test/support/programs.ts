import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { startProgram } from "@millrace/local-redis/programs";
import type { StartedProgram, StartProgramOptions } from "@millrace/local-redis/programs";

const APPS = join(import.meta.dirname, "../../..");
const TESTS = join(import.meta.dirname, "..");

/** Nothing of what the shell says about Redis or Millrace reaches the programs. */
const CLEAN = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(REDIS_|KAFKA_|MILLRACE_|EVENTS_JSONL_FILE|INIT_CWD)/.test(name))
    .map((name) => [name, undefined]),
);

/** The aggregator as it is published: the build starts in a third of the source's time. */
export function aggregator(url: string, args: readonly string[] = []): StartedProgram {
  return aggregatorCommand(args, { REDIS_URL: url });
}

/** The same with nothing said about Redis. */
export function aggregatorCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): StartedProgram {
  // Paths are meant from where the command was typed.
  return program("aggregator", { args, env: { INIT_CWD: TESTS, ...env } });
}

/**
 * The aggregator with its output piped into a reader that begins to read only after so many seconds, and then counts
 * lines.
 */
export async function aggregatorForSlowReader(
  url: string,
  args: readonly string[],
  seconds: number,
): Promise<{ readonly lines: number; readonly code: number }> {
  const node = [process.execPath, mainOf("aggregator"), ...args];
  const script = `{ "$@"; echo "$?" >&3; } | { sleep ${seconds}; wc -l; }`;
  const child = spawn("sh", ["-c", script, "sh", ...node], {
    env: { ...process.env, ...CLEAN, NODE_OPTIONS: undefined, REDIS_URL: url },
    stdio: ["ignore", "pipe", "ignore", "pipe"],
  });
  const [lines, code] = await Promise.all([child.stdio[1], child.stdio[3]].map(textOf));
  return { lines: Number(lines), code: Number(code) };
}

/**
 * The aggregator with one of its outputs on a disk that is full.
 *
 * @returns its exit code and the text of the other output
 */
export async function aggregatorOnFullDisk(
  url: string,
  args: readonly string[],
  full: "stdout" | "stderr",
): Promise<{ readonly code: unknown; readonly text: string }> {
  const disk = await open("/dev/full", "w");
  const child = spawn(process.execPath, [mainOf("aggregator"), ...args], {
    env: { ...process.env, ...CLEAN, NODE_OPTIONS: undefined, REDIS_URL: url, MILLRACE_LOG_FORMAT: "json" },
    stdio: ["ignore", full === "stdout" ? disk.fd : "pipe", full === "stderr" ? disk.fd : "pipe"],
  });
  const [text, closed] = await Promise.all([
    textOf(full === "stdout" ? child.stderr : child.stdout),
    once(child, "close"),
  ]);
  await disk.close();
  return { code: closed[0], text };
}

async function textOf(stream: unknown): Promise<string> {
  if (!(stream instanceof Readable)) throw new TypeError("not a pipe to read from");
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** The publisher as a user runs it. */
export function publisher(
  url: string,
  file: string,
  args: readonly string[] = [],
  input: string | Uint8Array = "",
): StartedProgram {
  return program("publisher", { args, env: { REDIS_URL: url, EVENTS_JSONL_FILE: file }, input });
}

/** A worker that shares a topic by Kafka's own group, or ends the work alone. */
export function groupWorker(url: string, args: readonly string[]): StartedProgram {
  const main = join(import.meta.dirname, "group-worker.mjs");
  return startProgram(main, { args, env: { ...CLEAN, REDIS_URL: url } });
}

function program(app: string, options: StartProgramOptions): StartedProgram {
  return startProgram(mainOf(app), { ...options, env: { ...CLEAN, ...options.env } });
}

function mainOf(app: string): string {
  return join(APPS, app, "dist/main.js");
}
