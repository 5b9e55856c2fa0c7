/**
 * Sets up a fresh checkout: the packages of the lock file, and a Redis server program for the demo and the tests. With
 * `--page` also the page that programs with `--http` serve, which is built if it is older than its sources. Where all tests
 * have to run (`MILLRACE_TEST_ALL=1` or `CI=true`), also Java and Maven, for the tests with Kafka.
 * Fast and silent when there is nothing to do; otherwise it prints on stderr what it runs.
 * Plain JavaScript without dependencies, since it runs before `npm ci`, and for any Node version: it must be able to
 * report that Node is too old.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { lookForRedisServer } from "./redis/src/look-for-redis-server.mjs";

/** Ends the set-up with a message for the user instead of a stack. */
class SetUpRefused extends Error {}

const aptInstall = (packages) => `
  # Some packages start their service; a temporary policy of "do nothing" (101) prevents that.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\\nexit 101\\n' > "$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update || echo "bootstrap: continuing with the existing package lists"
  apt-get -qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 install --no-install-recommends ${packages} || exit 1
`;
/** Nor shall it start at the next boot. */
const NO_SERVICE = "if [ -d /run/systemd/system ]; then systemctl disable --now redis-server; fi";

const DASHBOARD = "apps/dashboard";

/** How each package manager installs what is missing; `shown` is printed instead of the script. */
const PACKAGE_MANAGERS = [
  {
    program: "apt-get",
    asRoot: true,
    redis: {
      shown: "apt-get update && apt-get install -y --no-install-recommends redis-server",
      script: aptInstall("redis-server") + NO_SERVICE,
    },
    java: {
      shown: "apt-get update && apt-get install -y --no-install-recommends default-jre-headless maven",
      script: aptInstall("default-jre-headless maven"),
    },
  },
  {
    program: "apk",
    asRoot: true,
    redis: { script: "apk add --no-cache redis || apk add --no-cache valkey" },
    java: { script: "apk add --no-cache openjdk17-jre-headless maven" },
  },
  {
    program: "dnf",
    asRoot: true,
    redis: { script: "dnf install -y valkey || dnf install -y redis" },
    java: { script: "dnf install -y java-latest-openjdk-headless maven" },
  },
  {
    program: "brew",
    asRoot: false,
    redis: { script: "brew install redis" },
    java: { script: "brew install openjdk maven" },
  },
];

try {
  process.chdir(fileURLToPath(new URL("..", import.meta.url)));
  checkNode();
  if (!packagesAreCurrent()) installPackages();
  if (!["REDIS_URL", "REDIS_HOST", "REDIS_SENTINELS"].some((name) => process.env[name])) ensureRedisServer();
  if (allTestsHaveToRun()) await ensureJava();
  if (process.argv.includes("--page") && !pageIsCurrent()) buildPage();
} catch (error) {
  if (!(error instanceof SetUpRefused)) throw error;
  say(error.message);
  process.exitCode = 1;
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync("package.json", "utf8"));
  const needed = engines.node.replace(">=", "");
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [neededMajor, neededMinor] = needed.split(".").map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new SetUpRefused(
    `this is Node ${process.versions.node}; Millrace needs ${needed} or newer (see .nvmrc, or https://nodejs.org)`,
  );
}

/** npm writes node_modules/.package-lock.json last, so it exists and is recent only after a complete install. */
function packagesAreCurrent() {
  const installed = statSync("node_modules/.package-lock.json", { throwIfNoEntry: false });
  return installed !== undefined && installed.mtimeMs >= statSync("package-lock.json").mtimeMs;
}

function installPackages() {
  say("installing the packages of package-lock.json: npm ci");
  if (!succeeds("npm", ["ci"])) throw new SetUpRefused("npm ci failed; its reason is above");
}

function pageIsCurrent() {
  const built = statSync(join(DASHBOARD, "dist/page/index.html"), { throwIfNoEntry: false });
  const sources = readdirSync(join(DASHBOARD, "page"), { recursive: true });
  return (
    built !== undefined &&
    sources.every((name) => statSync(join(DASHBOARD, "page", name)).mtimeMs <= built.mtimeMs)
  );
}

function buildPage() {
  const args = ["run", "dashboard:page", "--output-style=static"];
  const { status, stdout, stderr } = spawnSync("node_modules/.bin/nx", args, { encoding: "utf8" });
  if (status !== 0) throw new SetUpRefused(`the page could not be built:\n${stdout}${stderr}`);
}

function ensureRedisServer() {
  const before = lookForRedisServer(process.env);
  // A server program that exists but is unusable must be replaced by the user.
  if (before.code === "REDIS_SERVER_NOT_FOUND" && !process.env.REDIS_SERVER)
    install("redis", "no Redis server");
  const after = "code" in before ? lookForRedisServer(process.env) : before;
  if ("code" in after) throw new SetUpRefused(after.message);
}

function allTestsHaveToRun() {
  const { npm_lifecycle_event: script, MILLRACE_TEST_ALL: all, CI: ci } = process.env;
  return script === "test" && (all === "1" || ci === "true");
}

async function ensureJava() {
  const { lookForJava } = await import("./kafka/src/look-for-java.mjs");
  if (lookForJava() !== undefined) install("java", "no Java and Maven");
  const missing = lookForJava();
  if (missing !== undefined) throw new SetUpRefused(missing.why);
}

/**
 * Installs what is missing. The caller checks the result by searching again.
 *
 * @param {"redis" | "java"} what
 * @param {string} missing
 */
function install(what, missing) {
  const manager = PACKAGE_MANAGERS.find(({ program }) => isOnPath(program));
  if (manager === undefined) return;
  const asUser = !manager.asRoot || process.getuid?.() === 0;
  // -n: a password prompt would block a pipeline; with it sudo fails and the user reads what to do.
  const { script, shown = script } = manager[what];
  const [command, ...args] = [...(asUser ? [] : ["sudo", "-n"]), "sh", "-c", script];
  say(`${missing} here; installing: ${asUser ? "" : "sudo "}${shown}`);
  succeeds(command, args);
}

/** @param {string} program */
function isOnPath(program) {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Runs a command with all output on stderr: stdout belongs to the program that runs after the set-up. */
function succeeds(command, args) {
  return spawnSync(command, args, { stdio: ["ignore", 2, 2] }).status === 0;
}

/** @param {string} sentence */
function say(sentence) {
  console.error(`bootstrap: ${sentence}`);
}
