import { join } from "node:path";
import { startProgram } from "@millrace/local-redis/programs";
import type { StartedProgram, StartProgramOptions } from "@millrace/local-redis/programs";

const APPS = join(import.meta.dirname, "../../..");

/** The environment without the shell's variables for Redis and Millrace. */
const CLEAN = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(REDIS_|MILLRACE_|EVENTS_JSONL_FILE|INIT_CWD)/.test(name))
    .map((name) => [name, undefined]),
);

/** Starts the publisher as a user does. */
export function publisher(
  url: string,
  file: string,
  args: readonly string[] = [],
  input: string | Uint8Array = "",
): StartedProgram {
  return program("publisher", { args, env: { REDIS_URL: url, EVENTS_JSONL_FILE: file }, input });
}

function program(app: string, options: StartProgramOptions): StartedProgram {
  return startProgram(join(APPS, app, "src/main.ts"), { ...options, env: { ...CLEAN, ...options.env } });
}
