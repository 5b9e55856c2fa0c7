/*
 * Plain JavaScript with JSDoc types, because tools/bootstrap.mjs and Nx use it without anything that could run TypeScript.
 * Run as a program it prints what it found, so that Nx runs the tests again when Java has come or gone.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Oldest Java that a broker of Kafka 4 runs on. */
const MINIMUM = 17;

const REMEDY =
  `Install Java ${MINIMUM} or newer and Maven (Debian, Ubuntu: apt-get install default-jre-headless maven; macOS: ` +
  "brew install openjdk maven), or let MILLRACE_TEST_ALL=1 npm test do it.";

/**
 * Looks for the programs that a local broker needs.
 *
 * @returns {{ why: string } | undefined} why there can be none, with the remedy; `undefined`: nothing is missing
 */
export function lookForJava() {
  const java = spawnSync("java", ["-version"], { encoding: "utf8" });
  if (java.error !== undefined || java.status !== 0) return { why: `There is no Java here. ${REMEDY}` };
  const major = Number(/version "(\d+)/.exec(java.stderr)?.[1] ?? 0);
  if (major < MINIMUM) return { why: `Java is version ${major}. ${REMEDY}` };
  const maven = spawnSync("sh", ["-c", "command -v mvn"]);
  return maven.status === 0 ? undefined : { why: `There is no Maven (mvn) here. ${REMEDY}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { why } = lookForJava() ?? { why: "Java and Maven are here." };
  console.log(why);
}
