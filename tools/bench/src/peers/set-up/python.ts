import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { peerFile } from "../../conductor/paths.ts";
import { taskEnv } from "../peer.ts";
import type { Peer } from "../peer.ts";
import { runTool } from "./run-tool.ts";
import { PEERS_FOLDER, setUpOnce } from "./set-up-once.ts";

/** A program in Python. */
export interface PythonProgram {
  /** The folder of its files. */
  readonly folder: string;
  /** A file of that folder with its packages, all pinned. */
  readonly requirements: string;
  /** The package whose version is told. */
  readonly package: string;
  /** What Python is told to run. */
  readonly args: readonly string[];
  /** The interpreter that makes the virtual environment. @default "python3" */
  readonly python?: string;
}

/** Says which Python it is, if it can make virtual environments. */
const PROBE = "import ensurepip, platform, venv; print(platform.python_version())";
/** Wheels only: nobody is to find out about a compiler here. One more try for a registry that does not answer. */
const PIP_INSTALL =
  "-m pip install --quiet --no-input --disable-pip-version-check --only-binary=:all: --retries=1".split(" ");

/**
 * Sets a program up in a virtual environment.
 *
 * @param name of the environment
 */
export function pythonSetUp(name: string, program: PythonProgram): Peer["setUp"] {
  return async (settings) => {
    const { python = "python3", folder, args } = program;
    const requirements = peerFile(folder, program.requirements);
    const pins = await readFile(requirements, "utf8");
    const version = await runTool(python, ["-c", PROBE], settings);
    const environment = join(PEERS_FOLDER, name);
    const interpreter = join(environment, "bin/python");
    await setUpOnce(environment, `Python ${version}\n${pins}`, settings, async () => {
      await runTool(python, ["-m", "venv", environment], settings);
      await runTool(interpreter, [...PIP_INSTALL, "-r", requirements], settings);
    });
    return {
      version: `${pinOf(program.package, pins)}, Python ${version}`,
      command: (task) => ({
        file: interpreter,
        args,
        env: {
          ...taskEnv(task),
          PYTHONPATH: [peerFile(folder), peerFile("python")].join(delimiter),
          // It would write beside the sources.
          PYTHONDONTWRITEBYTECODE: "1",
        },
      }),
    };
  };
}

function pinOf(name: string, pins: string): string {
  return new RegExp(`^${name}==(.*)$`, "m").exec(pins)?.[1] ?? "";
}
