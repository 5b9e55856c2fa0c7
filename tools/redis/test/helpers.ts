import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "../src/ask.ts";
import type { RedisAddress } from "../src/ask.ts";

/** Timeout for observed effects on a busy machine. */
export const PATIENCE_MS = 10_000;

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  while (!(await holds())) {
    if (deadline.aborted) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await delay(10);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Sends one command to a Redis, with the tests' timeout. */
export function command(address: RedisAddress, ...words: string[]): Promise<string> {
  return ask(address, words, AbortSignal.timeout(PATIENCE_MS));
}

/** Writes an executable shell script. */
export async function writeScript(path: string, script: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Writes a fake server program that only prints its version. */
export function writeServerProgram(folder: string, name: string, version: string): Promise<string> {
  return writeScript(join(folder, name), `echo "Redis server v=${version} sha=00000000:0 bits=64"`);
}
