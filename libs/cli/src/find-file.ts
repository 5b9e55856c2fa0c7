import { statSync } from "node:fs";
import { resolve } from "node:path";

/**
 * Finds a file that the user named: relative to where the command was typed (a task runner may have changed the
 * directory since), else to where the program runs.
 *
 * @param env of the program; its `INIT_CWD` is where the command was typed
 * @returns its absolute path
 * @throws RangeError that tells where it was looked for
 */
export function findFile(given: string, env: Readonly<Record<string, string | undefined>>): string {
  const candidates = new Set([env["INIT_CWD"] ?? "", process.cwd()].map((folder) => resolve(folder, given)));
  for (const path of candidates) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw new RangeError(`${path} is a directory`);
    if (found !== undefined) return path;
  }
  throw new RangeError(`there is no file ${[...candidates].join(" nor ")}`);
}
