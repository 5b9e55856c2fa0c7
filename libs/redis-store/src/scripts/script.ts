import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** A script, and the name under which a server remembers it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/**
 * With its first line a script is refused as a whole where it could not write: out of memory, on a replica, without
 * enough replicas, when the disk is full. Without it Redis would look at the first command alone.
 *
 * @param flag `allow-oom`: it frees more than it takes. `no-writes`: it only reads.
 */
export function scriptOf(lua: string, flag?: "allow-oom" | "no-writes"): Script {
  const text = `#!lua${flag === undefined ? "" : ` flags=${flag}`}\n${lua}`;
  return { lua: text, sha: createHash("sha1").update(text).digest("hex") };
}

/** Runs a script by its name; a server that does not know it yet is sent the text. */
export async function runScript(
  client: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return await client.eval(lua, keys.length, ...keys, ...args);
  }
}

/** The commands that scripts run, in alphabetical order. */
export function commandsOf(scripts: readonly Script[]): readonly string[] {
  const found = scripts.flatMap(({ lua }) =>
    [...lua.matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, name = ""]) => name),
  );
  return [...new Set(found)].sort();
}
