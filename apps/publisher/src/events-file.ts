import { statSync } from "node:fs";
import { join, resolve } from "node:path";

/** The events that come with the project; two folders up from `src` as from `dist`. */
export const DEFAULT_EVENTS_FILE: string = join(import.meta.dirname, "../../../data/events.jsonl");

/** Stands for standard input. */
export const STDIN = "-";

/**
 * Finds the file that the user means: relative to where the command was typed (a task runner may have changed the
 * directory since), else to where the program runs.
 *
 * @throws RangeError that tells where it was looked for
 */
export function findEventsFile(given: string, env: Readonly<Record<string, string | undefined>>): string {
  if (given === STDIN) return STDIN;
  const candidates = new Set([env["INIT_CWD"] ?? "", process.cwd()].map((folder) => resolve(folder, given)));
  for (const path of candidates) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw new RangeError(`${path} is a directory`);
    if (found !== undefined) return path;
  }
  throw new RangeError(`there is no file ${[...candidates].join(" nor ")}`);
}
