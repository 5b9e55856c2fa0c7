import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** A script, and the digest under which a server caches it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
  /** Whether users who may only read can run it. */
  readonly readOnly: boolean;
}

/**
 * With its first line a script is refused as a whole if it could not write: out of memory, on a replica, without
 * enough replicas, with a full disk. Without that line Redis would check only the first command.
 *
 * @param flag `allow-oom`: it frees more memory than it takes. `no-writes`: it only reads.
 */
export function scriptOf(lua: string, flag?: "allow-oom" | "no-writes"): Script {
  const text = `#!lua${flag === undefined ? "" : ` flags=${flag}`}\n${lua}`;
  const sha = createHash("sha1").update(text).digest("hex");
  return { lua: text, sha, readOnly: flag === "no-writes" };
}

/** Runs a script by its digest, or by its text if the server does not know it yet. */
export async function runScript(
  client: Redis,
  { lua, sha, readOnly }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const rest = [keys.length, ...keys, ...args] as const;
  try {
    return await (readOnly ? client.evalsha_ro(sha, ...rest) : client.evalsha(sha, ...rest));
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return await (readOnly ? client.eval_ro(lua, ...rest) : client.eval(lua, ...rest));
  }
}

/** The commands that scripts run, in alphabetical order. */
export function commandsOf(scripts: readonly Script[]): readonly string[] {
  const found = scripts.flatMap(({ lua }) =>
    [...lua.matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, name = ""]) => name),
  );
  return [...new Set(found)].sort();
}
