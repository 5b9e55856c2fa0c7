/**
 * Checks that no files import each other in a circle, also where only types are imported: such files can only be read and
 * changed together.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** A stream is divided into windows, whose results are streams again. */
const ALLOWED = ["libs/dataflow/src/stream.ts -> libs/dataflow/src/windowed-stream.ts"];

const IMPORT = /^(?:import|export)\b[^;]*?from "(\.[^"]+)"|^import "(\.[^"]+)"/gm;

const files = execFileSync("git", ["ls-files", "-z", "*.ts", "*.tsx"], { encoding: "utf8" })
  .split("\0")
  .filter(Boolean);
const importsOf = new Map(
  files.map((file) => [
    file,
    [...readFileSync(file, "utf8").matchAll(IMPORT)]
      .map(([, from, plain]) => posix.normalize(join(dirname(file), from ?? plain)))
      .filter((imported) => !ALLOWED.includes(`${file} -> ${imported}`)),
  ]),
);

const circles = [];
const done = new Set();

function follow(file, path) {
  const at = path.indexOf(file);
  if (at >= 0) circles.push([...path.slice(at), file]);
  if (at >= 0 || done.has(file)) return;
  for (const imported of importsOf.get(file) ?? []) follow(imported, [...path, file]);
  done.add(file);
}

for (const file of files) follow(file, []);
for (const circle of circles) console.error(`circle of imports: ${circle.join(" -> ")}`);
console.log(`imports: ${files.length} files, ${circles.length} circles besides ${ALLOWED.join(", ")}`);
process.exitCode = circles.length > 0 ? 1 : 0;
