/** Starts the program given as its argument, which inherits standard output, and waits. */
import { spawn } from "node:child_process";
import { once } from "node:events";

const [program = ""] = process.argv.slice(2);
const child = spawn(process.execPath, [program, "--ending=stopped"], {
  stdio: ["ignore", "inherit", "pipe", "ipc"],
});
await once(child.stderr, "data");
process.stdout.write("the child runs\n");
await once(child, "exit");
