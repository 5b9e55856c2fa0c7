import { join } from "node:path";

/** The project's own folder; as far up from the build as from the source. */
export const ROOT: string = join(import.meta.dirname, "../../../..");

/** What this process was started from, source or build, its children are too. */
const FROM_SOURCE = import.meta.filename.endsWith(".ts");
const LOADER = FROM_SOURCE ? ["--conditions=@millrace/source", "--import", "tsx"] : [];

/** The events that are published, line by line. */
export const EVENTS_FILE: string = join(ROOT, "data/events.jsonl");

/** The entry file of an app. */
export function appMain(app: "aggregator" | "publisher"): string {
  return join(ROOT, "apps", app, FROM_SOURCE ? "src/main.ts" : "dist/main.js");
}

/** One of this project's own child programs, and anything else in its folder. */
export function programFile(name: string): string {
  return join(import.meta.dirname, "../programs", `${name}.${FROM_SOURCE ? "ts" : "js"}`);
}

/** A file of the programs that are no TypeScript: the same for source and build. */
export function peerFile(...path: readonly string[]): string {
  return join(import.meta.dirname, "../../peers", ...path);
}

/** How Node runs a file of this project. */
export function nodeArgs(file: string, args: readonly string[]): readonly string[] {
  return [...LOADER, file, ...args];
}
