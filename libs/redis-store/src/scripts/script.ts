import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** A script, and the name under which a server remembers it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export function scriptOf(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
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
