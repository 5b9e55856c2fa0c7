import { statSync } from "node:fs";
import { resolve } from "node:path";

/**
 * Finds a file that the user named. A relative path is resolved against the directory in which the command was typed (a
 * task runner may have changed it since), then against the working directory.
 *
 * @param env environment; `INIT_CWD` is the directory in which the command was typed
 * @returns its absolute path
 * @throws RangeError with the paths that were tried
 */
export function findFile(given: string, env: Readonly<Record<string, string | undefined>>): string {
  const candidates = new Set([env["INIT_CWD"] ?? "", process.cwd()].map((folder) => resolve(folder, given)));
  for (const path of candidates) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw new RangeError(`${path} is a directory`);
    if (found !== undefined) return path;
  }
  throw new RangeError(`there is no file ${[...candidates].join(" or ")}`);
}
