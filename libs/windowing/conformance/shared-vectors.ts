import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Vectors that lie beside the repository. Those that are not there are named in one line, so that they are not left out
 * in silence.
 */
export function sharedVectors(
  folder: string,
  names: readonly string[],
  report: (line: string) => void,
): readonly string[] {
  const missing = names.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) report(`LEFT OUT: ${missing.join(", ")}: not in ${folder}\n`);
  return names.filter((name) => !missing.includes(name)).map((name) => join(folder, name));
}
