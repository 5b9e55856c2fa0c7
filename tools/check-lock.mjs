/**
 * Refuses a lock file that `npm ci` would refuse on another platform: every optional (platform) package of an entry must be
 * locked too, and no entry may name the registry from which it was resolved.
 */
import { readFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const problems = [];
for (const [path, entry] of Object.entries(packages)) {
  if (entry.resolved?.startsWith("http"))
    problems.push(`${path}: names a download address (${entry.resolved})`);
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    const parents = path.split("/node_modules/");
    const places = parents.map((_, i) =>
      [...parents.slice(0, parents.length - i), name].join("/node_modules/"),
    );
    const found = [...places, `node_modules/${name}`].some((place) => place in packages);
    if (!found) problems.push(`${path}: optional dependency ${name} is not locked`);
  }
}
for (const problem of problems) console.error(problem);
console.error(`lock file: ${Object.keys(packages).length} entries, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
