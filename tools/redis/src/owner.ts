import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { isAbsolute, join, relative } from "node:path";
import { ask } from "./ask.ts";
import type { RedisAddress } from "./ask.ts";

/** In the server's working directory, and gone with it. */
const OWNER_FILE = "owner";
const ASK_TIMEOUT_MS = 1_000;

/** Notes in a server's working directory that it belongs to this program. */
export async function noteOwner(dir: string): Promise<void> {
  await writeFile(join(dir, OWNER_FILE), `${programName()} (process ${process.pid})`);
}

/** The program whose server it is, for people; `undefined` where no program of ours has started it, or it does not say. */
export async function ownerOf(address: RedisAddress): Promise<string | undefined> {
  try {
    const dir = await ask(address, ["CONFIG", "GET", "dir"], AbortSignal.timeout(ASK_TIMEOUT_MS));
    return await readFile(join(dir, OWNER_FILE), "utf8");
  } catch {
    return undefined;
  }
}

/** Calls back once nothing listens at the address any more. It keeps no process alive. */
export async function onGone(address: RedisAddress, callback: () => void): Promise<void> {
  for (;;) {
    const socket = connect(address.port, address.host);
    try {
      await once(socket, "connect");
    } catch {
      callback();
      return;
    }
    socket.unref().resume();
    // Cut off it may have been, and the server be there all the same: see whether it takes another connection.
    await once(socket, "close").catch(() => undefined);
  }
}

function programName(): string {
  const [, main = "a program"] = process.argv;
  const path = relative(process.cwd(), main);
  return path === "" || path.startsWith("..") || isAbsolute(path) ? main : path;
}
