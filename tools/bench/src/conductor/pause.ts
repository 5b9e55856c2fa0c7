import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/**
 * A shell with a pipe to this process: a line on it, and all is well; its end, and this process has died meanwhile
 * (kill -9 included). A process that is paused would then stay so for ever, since it cannot see that its input ends.
 */
const WAKE_AT_END = `trap '' HUP INT TERM; read -r _ || kill -CONT "$0"`;

/** Pauses a child process, but not beyond this one's end. @returns lets it go on */
export function pause(child: ChildProcess): () => void {
  const guard = spawn("sh", ["-c", WAKE_AT_END, String(child.pid)], { stdio: ["pipe", "ignore", "ignore"] });
  guard.stdin.on("error", () => undefined);
  child.kill("SIGSTOP");
  return () => {
    child.kill("SIGCONT");
    guard.stdin.end("\n");
  };
}
