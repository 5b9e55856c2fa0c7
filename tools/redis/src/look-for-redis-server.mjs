/*
 * Plain JavaScript with JSDoc types, because tools/bootstrap.mjs uses it before `npm ci`, without anything that could
 * run TypeScript. All other code calls findRedisServer.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Oldest supported version of Redis and of Valkey: sharded Pub/Sub came with Redis 7.0. */
const MINIMUM = { major: 7, minor: 0 };

/** Programs to search on PATH, in order of preference. */
const PROGRAM_NAMES = ["redis-server", "valkey-server"];

const NEEDED = `${MINIMUM.major}.${MINIMUM.minor} or newer`;
const REMEDY =
  `Install Redis or Valkey ${NEEDED} (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis), ` +
  "or set REDIS_SERVER to a server program, or REDIS_URL to a Redis that is running.";

/**
 * @typedef {{ path: string, version: string }} Found
 * @typedef {{ code: "REDIS_SERVER_NOT_FOUND" | "REDIS_SERVER_TOO_OLD" | "REDIS_SERVER_UNUSABLE", message: string }} Problem
 */

/**
 * Returns the server program that REDIS_SERVER names, else the first on PATH that is new enough; or why there is none,
 * with the remedy.
 *
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Found | Problem}
 */
export function lookForRedisServer(env) {
  const named = env["REDIS_SERVER"];
  const paths = locate(named ? [named] : PROGRAM_NAMES, env["PATH"] ?? "");
  if (paths.length === 0) {
    const what = named
      ? `REDIS_SERVER names ${named}, which is not an executable file.`
      : `No ${PROGRAM_NAMES.join(" or ")} on PATH.`;
    return { code: "REDIS_SERVER_NOT_FOUND", message: `${what} ${REMEDY}` };
  }
  const programs = paths.flatMap((path) => {
    const version = versionOf(path);
    return version === undefined ? [] : [{ path, version }];
  });
  const [first] = programs;
  if (first === undefined) {
    const message = `${paths.join(" and ")} does not state its version as a Redis or Valkey server does. ${REMEDY}`;
    return { code: "REDIS_SERVER_UNUSABLE", message };
  }
  const message = `${first.path} is version ${first.version}; Millrace needs ${NEEDED}. ${REMEDY}`;
  return programs.find(({ version }) => isSupported(version)) ?? { code: "REDIS_SERVER_TOO_OLD", message };
}

/**
 * @param {readonly string[]} names
 * @param {string} searchPath
 * @returns {string[]} the executable file of each name that has one
 */
function locate(names, searchPath) {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => {
    const places = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
    return places.find(isExecutable) ?? [];
  });
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Versions of programs that were asked: asking starts a process and blocks this one.
 *
 * @type {Map<string, string>}
 */
const known = new Map();

/**
 * @param {string} path
 * @returns {string | undefined}
 */
function versionOf(path) {
  const program = `${path} ${statSync(path).mtimeMs}`;
  const before = known.get(program);
  if (before !== undefined) return before;
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 5_000 });
  const version = /\bv=(\d+\.\d+\.\d+)/.exec(stdout ?? "")?.[1];
  if (version !== undefined) known.set(program, version);
  return version;
}

/** @param {string} version */
function isSupported(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor);
}
