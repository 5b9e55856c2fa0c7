import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { isAbsolute, join, relative } from "node:path";
import { ask } from "./ask.ts";
import type { RedisAddress } from "./ask.ts";

/** File in the server's working directory, removed with it. */
const OWNER_FILE = "owner";
const ASK_TIMEOUT_MS = 1_000;

/** Records in a server's working directory that this program owns it. */
export async function noteOwner(dir: string): Promise<void> {
  await writeFile(join(dir, OWNER_FILE), `${programName()} (process ${process.pid})`);
}

/** Describes the program that owns the server; `undefined` if the server has no recorded owner or does not say. */
export async function ownerOf(address: RedisAddress): Promise<string | undefined> {
  try {
    const dir = await ask(address, ["CONFIG", "GET", "dir"], AbortSignal.timeout(ASK_TIMEOUT_MS));
    return await readFile(join(dir, OWNER_FILE), "utf8");
  } catch {
    return undefined;
  }
}

/** Calls back once nothing listens at the address any more. It does not keep the process alive. */
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
    // The connection may be lost while the server still runs: check whether it accepts a new one.
    await once(socket, "close").catch(() => undefined);
  }
}

function programName(): string {
  const [, main = "a program"] = process.argv;
  const path = relative(process.cwd(), main);
  return path === "" || path.startsWith("..") || isAbsolute(path) ? main : path;
}
