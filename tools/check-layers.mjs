/**
 * Checks that a package imports only what is below it, other packages by name and not by path, and that no packages import
 * each other in a circle. Imports go one way: apps -> command -> redis-store -> redis-source -> dataflow -> windowing;
 * event-schema -> json; command -> dashboard -> observe -> dataflow.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, posix } from "node:path";

const ROOMS = {
  windowing: [],
  json: [],
  "event-schema": ["json"],
  dataflow: ["windowing"],
  "redis-source": ["dataflow"],
  "redis-store": ["windowing", "dataflow", "redis-source"],
  "kafka-source": ["windowing", "dataflow", "redis-source"],
  cli: ["windowing", "dataflow", "redis-source"],
  observe: ["windowing", "dataflow"],
  dashboard: ["observe"],
  command: [
    ...["cli", "json", "windowing", "dataflow", "redis-source", "redis-store", "kafka-source"],
    ...["observe", "dashboard"],
  ],
  millrace: ["command", "json", "windowing", "dataflow", "redis-source", "redis-store", "kafka-source"],
  "create-millrace": [],
  app: ["command", "cli", "json", "event-schema", "windowing", "dataflow", "redis-source", "redis-store"],
};

/** By a tag of the importing package: the imported one has one of these. A package keeps to what each of its tags allows. */
const ALLOWED = new Map([
  ["type:lib", ["type:lib", "type:testkit"]],
  ["type:testkit", ["type:testkit"]],
  ["type:app", ["type:lib", "type:testkit"]],
  ["type:tool", ["type:lib", "type:testkit", "type:tool"]],
  ["type:bench", ["type:lib", "type:testkit", "type:tool", "type:app"]],
  ...Object.entries(ROOMS).map(([room, below]) => [
    `room:${room}`,
    ["type:testkit", ...below.map((name) => `room:${name}`)],
  ]),
]);

const IMPORT = /^\s*(?:import|export)\b[^;]*?from "([^"]+)"|^\s*import "([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

/** A project of its own, over the built packages. */
const TEMPLATE = ":(exclude)libs/create-millrace/template";

/** Also files that are not added yet, and none that are deleted. */
function files(...patterns) {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", ...patterns];
  return execFileSync("git", args, { encoding: "utf8" }).split("\0").filter(existsSync);
}

const MANIFESTS = ["apps", "libs", "tools"].map((folder) => `:(glob)${folder}/*/package.json`);
const packages = files(...MANIFESTS).map((file) => {
  const { name, nx } = JSON.parse(readFileSync(file, "utf8"));
  return { name, folder: dirname(file), tags: nx.tags, imports: new Set() };
});
const packageOf = new Map(packages.map((found) => [found.name, found]));
const problems = [];
let count = 0;

for (const importing of packages) {
  for (const file of files(`${importing.folder}/*.ts`, `${importing.folder}/*.tsx`, TEMPLATE)) {
    count++;
    for (const [, from, plain, late] of readFileSync(file, "utf8").matchAll(IMPORT)) {
      const problem = problemOf(importing, file, from ?? plain ?? late);
      if (problem) problems.push(`${file}: ${problem}`);
    }
  }
}

function problemOf(importing, file, name) {
  if (/^[./]/.test(name)) {
    const inside = posix.resolve("/", dirname(file), name).startsWith(`/${importing.folder}/`);
    return inside ? undefined : `imports ${name}, which is outside of its package`;
  }
  const imported = packageOf.get(/^(?:@[^/]+\/)?[^/]+/.exec(name)[0]);
  if (imported === undefined || imported === importing) return undefined;
  importing.imports.add(imported);
  const rules = importing.tags.filter((tag) => ALLOWED.has(tag));
  if (rules.length === 0) return `imports ${name}, but no tag of ${importing.name} allows imports`;
  const broken = rules.find((tag) => !ALLOWED.get(tag).some((allowed) => imported.tags.includes(allowed)));
  return broken && `imports ${name} (${imported.tags.join(", ")}), which ${broken} does not allow`;
}

const done = new Set();

function follow(found, path) {
  const at = path.indexOf(found);
  if (at >= 0) {
    const circle = [...path.slice(at), found].map(({ name }) => name);
    problems.push(`circle of packages: ${circle.join(" -> ")}`);
  }
  if (at >= 0 || done.has(found)) return;
  for (const imported of found.imports) follow(imported, [...path, found]);
  done.add(found);
}

for (const found of packages) follow(found, []);
for (const problem of problems) console.error(problem);
console.log(`layers: ${packages.length} packages, ${count} files, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
