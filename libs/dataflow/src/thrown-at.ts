import { sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of all packages of Millrace: in an installation, or in their own workspace. */
const PACKAGES = fileURLToPath(new URL("../../", import.meta.url));
const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/;

/**
 * Where a user's function threw: file, line and column of the first frame that is neither Node's nor a package's. The
 * search ends at the first frame of Millrace.
 *
 * @returns `undefined` if the stack has no such frame
 */
export function thrownAt(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const line of error.stack.split("\n")) {
    const place = FRAME.exec(line.trimEnd())?.[1];
    if (place === undefined) continue;
    const path = place.startsWith("file://") ? fileURLToPath(place) : place;
    if (isMillraces(path)) return undefined;
    if (!path.includes(`${sep}node_modules${sep}`)) return path;
  }
  return undefined;
}

function isMillraces(path: string): boolean {
  if (!path.startsWith(PACKAGES)) return false;
  // In the workspace tests and examples lie next to the sources.
  const [, folder] = path.slice(PACKAGES.length).split(sep);
  return folder === "src" || folder === "dist";
}
