/**
 * What `npm test` does after the set-up: it checks and compiles at the same time, and tests as soon as it has compiled.
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";

/** None of them needs what the compiler writes. */
const CHECKS = ["lint", "format", "lock", "errors", "words", "circles", "layers", "docs"];
const TESTS = ["test", "browser", "options"];
// In Nx's own process: processes for its plugins took two thirds of the CPU of a call.
process.env.NX_ISOLATE_PLUGINS = "false";
const running = new Set();
let interrupted = false;
// Ctrl-C reaches the children, too; this process ends after them.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    interrupted = true;
    for (const child of running) child.kill(signal);
  });
}

/** Resolves with whether it succeeded, and what it printed if `kept`. npm has put the programs of packages on the path. */
function run(program, args, { kept = false } = {}) {
  const child = spawn(program, args, { stdio: kept ? ["inherit", "pipe", "pipe"] : "inherit" });
  running.add(child);
  const printed = [];
  for (const stream of kept ? [child.stdout, child.stderr] : []) {
    stream.on("data", (chunk) => printed.push(chunk));
  }
  return new Promise((resolve) => {
    child.on("close", (code) => {
      running.delete(child);
      resolve({ passed: code === 0, printed: Buffer.concat(printed) });
    });
  });
}

function all(targets, options) {
  return run("nx", ["run-many", "-t", ...targets, "--exclude-task-dependencies"], options);
}

// In one piece each and after the tests, so that a failed check is not lost between them.
const checks = [run("nx", ["sync:check"], { kept: true }), all(CHECKS, { kept: true })];
const built = await Promise.all(
  [["node_modules/@typescript/native/bin/tsc", "--build"], ["tools/bundle.mjs"]].map((args) =>
    run(process.execPath, args),
  ),
);
const tests = built.every(({ passed }) => passed) ? await all(TESTS) : { passed: false };
const checked = await Promise.all(checks);
for (const { printed } of checked) process.stderr.write(printed);
// A run that a signal has ended has not passed, whatever Nx reports.
process.exitCode = !interrupted && [...checked, tests].every(({ passed }) => passed) ? 0 : 1;
