import { join } from "node:path";
import { ROOT } from "./tally.ts";

/** The children of this process are started from source or build, as it was itself. */
const FROM_SOURCE = import.meta.filename.endsWith(".ts");

/** The entry file of an app. */
export function appMain(app: "aggregator" | "publisher"): string {
  return join(ROOT, "apps", app, FROM_SOURCE ? "src/main.ts" : "dist/main.js");
}

/** One of this project's own child programs, and anything else in its folder. */
export function programFile(name: string): string {
  return join(import.meta.dirname, "../programs", `${name}.${FROM_SOURCE ? "ts" : "js"}`);
}
