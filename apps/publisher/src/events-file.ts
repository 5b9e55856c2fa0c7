import { statSync } from "node:fs";
import { join } from "node:path";
import { findFile } from "@millrace/cli";

/** The events that come with the project; two folders up from `src` as from `dist`. */
export const DEFAULT_EVENTS_FILE: string = join(import.meta.dirname, "../../../data/events.jsonl");

/** Stands for standard input. */
export const STDIN = "-";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the file that the user means; standard input stays what it is.
 *
 * @throws RangeError that says where it was looked for
 */
export function findEventsFile(given: string, env: Environment): string {
  return given === STDIN ? STDIN : findFile(given, env);
}

/** Whether a file can be read more than once; one that is not there is none. */
export function isRegularFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
