/** Starts the program given as its argument, which inherits standard output, and waits. */
import { spawn } from "node:child_process";
import { once } from "node:events";

const [program = ""] = process.argv.slice(2);
const args = ["--conditions=@millrace/source", "--import", "tsx", program, "--ending=stopped"];
const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "pipe", "ipc"] });
if (child.stderr === null) throw new TypeError("stderr is not a pipe");
await once(child.stderr, "data");
process.stdout.write("the child runs\n");
await once(child, "exit");
