import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { peerFile } from "../../conductor/paths.ts";
import { taskEnv } from "../peer.ts";
import type { Peer } from "../peer.ts";
import { runTool } from "./run-tool.ts";
import { PEERS_FOLDER, setUpOnce } from "./set-up-once.ts";

/** A program in Go. */
export interface GoProgram {
  /** The folder of its module. */
  readonly folder: string;
  /** The module whose version is told. */
  readonly module: string;
  readonly args: readonly string[];
}

/** The toolchain that is here, and modules exactly as they are locked. */
const GO_ENV = { GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly", CGO_ENABLED: "0" };

/**
 * Builds a program.
 *
 * @param name of the binary
 */
export function goSetUp(name: string, { folder, module, args }: GoProgram): Peer["setUp"] {
  return async ({ signal, logger }) => {
    const options = { cwd: peerFile(folder), env: GO_ENV, signal };
    const files = ["go.mod", "go.sum", "main.go"].map((file) => readFile(peerFile(folder, file), "utf8"));
    const [goMod = "", ...others] = await Promise.all(files);
    const version = await runTool("go", ["env", "GOVERSION"], options);
    const target = join(PEERS_FOLDER, name);
    const binary = join(target, name);
    await setUpOnce(target, [version, goMod, ...others].join("\n"), { logger }, async () => {
      await runTool("go", ["build", "-trimpath", "-o", binary, "."], options);
    });
    return {
      version: `${requiredOf(module, goMod)}, ${version}`,
      command: (task) => ({ file: binary, args, env: taskEnv(task) }),
    };
  };
}

function requiredOf(module: string, goMod: string): string {
  const at = goMod.indexOf(`${module} v`);
  return /^\S+ v(\S+)/.exec(goMod.slice(at))?.[1] ?? "";
}
