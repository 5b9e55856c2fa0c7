import { spawn } from "node:child_process";
import { pause } from "../../src/lab/consumer.ts";

/* Pauses a child that would end with its input, sends the child's process id to the parent, and waits to be killed. */

const child = spawn("cat", { stdio: ["pipe", "inherit", "inherit"] });
pause(child);
process.send?.(child.pid);
setInterval(() => undefined, 2 ** 30);
