import { statSync } from "node:fs";
import { join, resolve } from "node:path";

/** The events that come with the project; two folders up from `src` as from `dist`. */
export const DEFAULT_EVENTS_FILE: string = join(import.meta.dirname, "../../../data/events.jsonl");

/** Stands for standard input. */
export const STDIN = "-";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the file that the user means: relative to where the command was typed (a task runner may have changed the
 * directory since), else to where the program runs.
 *
 * @throws RangeError that tells where it was looked for
 */
export function findEventsFile(given: string, env: Environment): string {
  if (given === STDIN) return checkStdin(env);
  const candidates = new Set([env["INIT_CWD"] ?? "", process.cwd()].map((folder) => resolve(folder, given)));
  for (const path of candidates) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw new RangeError(`${path} is a directory`);
    if (found !== undefined) return path;
  }
  throw new RangeError(`there is no file ${[...candidates].join(" nor ")}`);
}

/** Under Nx the program would wait for ever: a task gets a standard input, but nothing ever comes of it. */
function checkStdin(env: Environment): string {
  if (env["NX_TASK_TARGET_PROJECT"] !== "publisher" || env["NX_TASK_TARGET_TARGET"] !== "serve") return STDIN;
  throw new RangeError(
    "Nx passes no standard input on to what it runs; run the program itself: " +
      "npx nx build publisher, then node apps/publisher/dist/main.js --file -",
  );
}
