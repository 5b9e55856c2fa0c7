/** Checks the error classes against `docs/errors.md`: every code has a heading there, every heading a code. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const sources = ["libs", "apps", "tools"].flatMap((room) =>
  readdirSync(room, { recursive: true })
    .filter((path) => /^[^/\\]+[/\\]src[/\\].*\.ts$/.test(path))
    .map((path) => join(room, path)),
);
const code = /static (?:override )?readonly code(?:: string)? = "(MILLRACE_[A-Z_]+)"/g;
const raised = new Map(
  sources.flatMap((path) => {
    const text = readFileSync(path, "utf8");
    return [...text.matchAll(code)].map(([, name]) => [name, path]);
  }),
);
const documented = [...readFileSync("docs/errors.md", "utf8").matchAll(/^### (MILLRACE_[A-Z_]+)$/gm)].map(
  ([, name]) => name,
);

const problems = [
  ...[...raised]
    .filter(([name]) => !documented.includes(name))
    .map(([name, path]) => `${name} (${path}) is not in docs/errors.md`),
  ...documented
    .filter((name) => !raised.has(name))
    .map((name) => `docs/errors.md has ${name}, which no class has`),
  ...documented
    .filter((name, i) => documented.indexOf(name) !== i)
    .map((name) => `docs/errors.md has ${name} twice`),
];
for (const problem of problems) console.error(problem);
console.error(
  `error codes: ${raised.size} raised, ${documented.length} documented, ${problems.length} problems`,
);
process.exit(problems.length === 0 && raised.size > 0 ? 0 : 1);
