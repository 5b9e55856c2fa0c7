/**
 * What `npm test` does after the set-up: it checks and compiles at the same time, and tests as soon as it has compiled.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";

const MODULES = join(import.meta.dirname, "../node_modules");
const NX = join(MODULES, "nx/bin/nx.js");
const TSC = join(MODULES, "typescript/bin/tsc");
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

/** Resolves with whether it succeeded. */
function run(program, ...args) {
  const child = spawn(process.execPath, [program, ...args], { stdio: "inherit" });
  running.add(child);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve(code === 0);
    });
  });
}

function all(...targets) {
  return run(NX, "run-many", "-t", ...targets, "--exclude-task-dependencies");
}

const checks = all(...CHECKS);
const passed = (await run(TSC, "--build")) && (await all(...TESTS));
const checked = await checks;
process.exitCode = checked && passed ? 0 : 1;
