import { join } from "node:path";
import { startProgram } from "@millrace/local-redis/programs";
import type { StartProcessOptions, StartedProgram } from "@millrace/local-redis/programs";

/** The publisher as it is published: the build starts in a third of the source's time. */
export const MAIN = join(import.meta.dirname, "../../dist/main.js");

/** The environment without the shell's variables for Redis and Millrace. */
const CLEAN = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(REDIS_|MILLRACE_|EVENTS_JSONL_FILE|INIT_CWD)/.test(name))
    .map((name) => [name, undefined]),
);

export function publisher(
  url: string,
  file: string,
  args: readonly string[] = [],
  input: StartProcessOptions["input"] = "",
): StartedProgram {
  return startProgram(MAIN, {
    args,
    env: { ...CLEAN, REDIS_URL: url, EVENTS_JSONL_FILE: file },
    input,
  });
}
