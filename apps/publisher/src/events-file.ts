import { join } from "node:path";
import { findFile } from "@millrace/cli";

/** The events that come with the project; two folders up from `src` as from `dist`. */
export const DEFAULT_EVENTS_FILE: string = join(import.meta.dirname, "../../../data/events.jsonl");

/** Stands for standard input. */
export const STDIN = "-";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the file that the user means, or checks that standard input will do.
 *
 * @throws RangeError that tells where it was looked for
 */
export function findEventsFile(given: string, env: Environment): string {
  return given === STDIN ? checkStdin(env) : findFile(given, env);
}

/** Under Nx the program would wait for ever: a task gets a standard input, but nothing ever comes of it. */
function checkStdin(env: Environment): string {
  if (env["NX_TASK_TARGET_PROJECT"] !== "publisher" || env["NX_TASK_TARGET_TARGET"] !== "serve") return STDIN;
  throw new RangeError(
    "Nx passes no standard input on to what it runs; run the program itself: " +
      "npx nx build publisher, then node apps/publisher/dist/main.js --file -",
  );
}
