import { spawn } from "node:child_process";
import { once } from "node:events";
import { nodeArgs, programFile } from "./paths.ts";

/** Runs one of this project's programs that measures itself. @returns the one message that it sends */
export async function selfMeasured<Message>(program: string, args: readonly string[]): Promise<Message> {
  const child = spawn(process.execPath, nodeArgs(programFile(program), args), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "close").then(() => {
    throw new Error(`The program "${program}" ended before it had measured anything.`);
  });
  ended.catch(() => undefined);
  return Promise.race([once(child, "message").then(([message]) => message as Message), ended]);
}
