import { execFile } from "node:child_process";
import { basename } from "node:path";
import { promisify } from "node:util";

/** Long enough to compile some hundred packages on a slow machine. */
const TIMEOUT_MS = 15 * 60_000;

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Runs a tool to its end.
 *
 * @returns what it printed
 * @throws Error that tells in one line why it failed
 */
export async function runTool(file: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const { cwd, env, signal } = options;
  try {
    const { stdout } = await promisify(execFile)(file, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      signal,
      timeout: TIMEOUT_MS,
    });
    return stdout.trim();
  } catch (cause) {
    throw new Error(`${basename(file)}: ${reasonOf(cause)}`, { cause });
  }
}

/** Tools tell the reason last. */
function reasonOf(error: unknown): string {
  const { code, killed, stderr = "" } = error as { code?: unknown; killed?: boolean; stderr?: string };
  if (code === "ENOENT") return "not found";
  if (killed === true) return `not done after ${TIMEOUT_MS / 60_000} minutes`;
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return last === "" ? String(error) : last;
}
