import { startProgram } from "@millrace/local-redis/programs";
import { join } from "node:path";
import type { Figures } from "../rounds.ts";

/** The project's own folder; as far up from the build as from the source. */
export const ROOT: string = join(import.meta.dirname, "../../../..");

/** The children of this process are started from source or build, as it was itself. */
const FROM_SOURCE = import.meta.filename.endsWith(".ts");
const LOADER = FROM_SOURCE ? ["--conditions=@millrace/source", "--import", "tsx"] : [];

/** The entry file of an app. */
export function appMain(app: "aggregator" | "publisher"): string {
  return join(ROOT, "apps", app, FROM_SOURCE ? "src/main.ts" : "dist/main.js");
}

/** One of this project's own child programs, and anything else in its folder. */
export function programFile(name: string): string {
  return join(import.meta.dirname, "../programs", `${name}.${FROM_SOURCE ? "ts" : "js"}`);
}

/** A file of the peers in other languages: the same for source and build. */
export function peerFile(...path: readonly string[]): string {
  return join(import.meta.dirname, "../../peers", ...path);
}

/** Runs one of this project's programs that measures itself. @returns the figures that it prints first */
export async function selfMeasured(program: string, args: readonly (string | number)[]): Promise<Figures> {
  const started = startProgram(programFile(program), { args: args.map(String) });
  return JSON.parse(await started.printed(() => true)) as Figures;
}

/** How a process is started. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How Node runs a file of this project. */
export function nodeCommand(file: string, args: readonly string[], env?: Command["env"]): Command {
  return { file: process.execPath, args: [...LOADER, file, ...args], ...(env && { env }) };
}
