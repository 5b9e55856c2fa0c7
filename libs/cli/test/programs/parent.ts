/** Starts the program given as its argument, which holds on to our standard output, and waits. */
import { spawn } from "node:child_process";
import { once } from "node:events";

const [program = ""] = process.argv.slice(2);
const args = ["--conditions=@millrace/source", "--import", "tsx", program, "--ending=stopped"];
const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "pipe", "ipc"] });
if (child.stderr === null) throw new TypeError("a pipe was asked for");
await once(child.stderr, "data");
process.stdout.write("the child runs\n");
await once(child, "exit");
