/**
 * What `npm test` does after the set-up: it checks and compiles at the same time, and tests as soon as it has compiled.
 */
import { spawn } from "node:child_process";

/** None of them needs what the compiler writes. */
const CHECKS = ["lint", "format", "lock", "errors", "words", "circles", "docs"];
const TESTS = ["test", "browser", "options"];

const running = new Set();
// Ctrl-C reaches the children, too; this process ends after them.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
  });
}

/** Resolves with whether it succeeded. npm has put the programs of packages on the path. */
function run(program, ...args) {
  const child = spawn(program, args, { stdio: "inherit" });
  running.add(child);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve(code === 0);
    });
  });
}

function all(...targets) {
  return run("nx", "run-many", "-t", ...targets, "--exclude-task-dependencies");
}

const checks = all(...CHECKS);
const passed = (await run("tsc", "--build")) && (await all(...TESTS));
const checked = await checks;
process.exitCode = checked && passed ? 0 : 1;
