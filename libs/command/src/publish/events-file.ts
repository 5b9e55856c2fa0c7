import { statSync } from "node:fs";
import { findFile } from "@millrace/cli";

/** The path that means standard input. */
export const STDIN = "-";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Resolves the path that the user gave; `-` for standard input is returned as it is.
 *
 * @throws RangeError with the paths that were tried
 */
export function findEventsFile(given: string, env: Environment): string {
  return given === STDIN ? STDIN : findFile(given, env);
}

/** Whether a file can be read more than once; `false` if it does not exist. */
export function isRegularFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
