import type { Logger } from "@millrace/dataflow";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Contender, Task } from "./contenders.ts";
import { peerFile, ROOT } from "./programs.ts";

export interface SetUpSettings {
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** A peer that can be run. */
export interface ReadyPeer {
  readonly version: string;
  readonly command: Contender["command"];
}

/**
 * Prepares what a peer needs, once; an existing set-up is reused.
 *
 * @throws Error if it is not available
 */
export type SetUp = (settings: SetUpSettings) => Promise<ReadyPeer>;

/** Where peers are set up, each in a folder of its own. */
const PEERS_FOLDER = join(ROOT, ".cache/bench-peers");

/** A program in Python, in a virtual environment. */
export interface PythonProgram {
  /** Of the environment. */
  readonly name: string;
  /** The folder of its files. */
  readonly folder: string;
  /** A file of that folder with its packages, all pinned. */
  readonly requirements: string;
  /** The package whose version is printed. */
  readonly package: string;
  readonly args: readonly string[];
  /** The interpreter that makes the virtual environment. @default "python3" */
  readonly python?: string;
}

/** Prints the version of Python, if it can make virtual environments. */
const PROBE = "import ensurepip, platform, venv; print(platform.python_version())";
/** Wheels only, so that no compiler is needed. One more try for a registry that does not answer. */
const PIP_INSTALL =
  "-m pip install --quiet --no-input --disable-pip-version-check --only-binary=:all: --retries=1".split(" ");

export function pythonSetUp(program: PythonProgram): SetUp {
  const { name, folder, args, python = "python3" } = program;
  return async (settings) => {
    const requirements = peerFile(folder, program.requirements);
    const pins = await readFile(requirements, "utf8");
    const version = await runTool(python, ["-c", PROBE], settings);
    const environment = join(PEERS_FOLDER, name);
    const interpreter = join(environment, "bin/python");
    await setUpOnce(environment, `Python ${version}\n${pins}`, settings.logger, async () => {
      await runTool(python, ["-m", "venv", environment], settings);
      await runTool(interpreter, [...PIP_INSTALL, "-r", requirements], settings);
    });
    const pin = new RegExp(`^${program.package}==(.*)$`, "m").exec(pins)?.[1] ?? "";
    const env = {
      PYTHONPATH: [peerFile(folder), peerFile("python")].join(delimiter),
      // Otherwise Python writes its cache beside the sources.
      PYTHONDONTWRITEBYTECODE: "1",
    };
    return {
      version: `${pin}, Python ${version}`,
      command: (task) => ({ file: interpreter, args, env: { ...taskEnv(task), ...env } }),
    };
  };
}

/** A program in Go, built from the module in its folder. */
export interface GoProgram {
  /** Of the binary, and of the folder. */
  readonly name: string;
  /** The module whose version is printed. */
  readonly module: string;
  readonly args: readonly string[];
}

/** The toolchain that is here, and modules exactly as they are locked. */
const GO_ENV = { GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly", CGO_ENABLED: "0" };

export function goSetUp({ name, module, args }: GoProgram): SetUp {
  return async ({ signal, logger }) => {
    const options = { cwd: peerFile(name), env: GO_ENV, signal };
    const files = ["go.mod", "go.sum", "main.go"].map((file) => readFile(peerFile(name, file), "utf8"));
    const [goMod = "", ...others] = await Promise.all(files);
    const version = await runTool("go", ["env", "GOVERSION"], options);
    const target = join(PEERS_FOLDER, name);
    const binary = join(target, name);
    await setUpOnce(target, [version, goMod, ...others].join("\n"), logger, async () => {
      await runTool("go", ["build", "-trimpath", "-o", binary, "."], options);
    });
    const required = /^\S+ v(\S+)/.exec(goMod.slice(goMod.indexOf(`${module} v`)))?.[1] ?? "";
    return {
      version: `${required}, ${version}`,
      command: (task) => ({ file: binary, args, env: taskEnv(task) }),
    };
  };
}

/** How programs in other languages get their task. */
function taskEnv({ bed, channel, windowMs }: Task): Readonly<Record<string, string>> {
  return { ...bed.env, BENCH_CHANNEL: channel, BENCH_WINDOW_MS: String(windowMs) };
}

/** Records what a folder was set up from; written last, so that an incomplete set-up is detected. */
const MADE_FROM = "made-from.txt";

/**
 * Sets up a folder, unless it was set up from the same before.
 *
 * @param madeFrom all that the result depends on
 */
export async function setUpOnce(
  folder: string,
  madeFrom: string,
  logger: Logger,
  setUp: () => Promise<void>,
): Promise<void> {
  const stamp = join(folder, MADE_FROM);
  const before = await readFile(stamp, "utf8").catch(() => undefined);
  if (before === madeFrom) return;
  const name = basename(folder);
  logger.info({ event: "setUp", peer: name }, `setting up ${name}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await setUp();
  await writeFile(stamp, madeFrom);
}

/** Long enough to compile some hundred packages on a slow machine. */
const TIMEOUT_MS = 15 * 60_000;

interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Runs a tool to its end.
 *
 * @returns what it printed
 * @throws Error that says in one line why it failed
 */
async function runTool(
  file: string,
  args: readonly string[],
  { cwd, env, signal }: ToolOptions,
): Promise<string> {
  try {
    const options = { env: { ...process.env, ...env }, signal, timeout: TIMEOUT_MS };
    const { stdout } = await promisify(execFile)(file, args, { ...options, ...(cwd && { cwd }) });
    return stdout.trim();
  } catch (cause) {
    throw new Error(`${basename(file)}: ${reasonOf(cause)}`, { cause });
  }
}

/** Tools print the reason last. */
function reasonOf(error: unknown): string {
  const { code, killed, stderr = "" } = error as { code?: unknown; killed?: boolean; stderr?: string };
  if (code === "ENOENT") return "not found";
  if (killed === true) return `not done after ${TIMEOUT_MS / 60_000} minutes`;
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return last === "" ? String(error) : last;
}
