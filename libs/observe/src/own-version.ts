import { readFileSync } from "node:fs";

/** All packages of Millrace have one version. */
export const VERSION: string = ownVersion();

/** The manifest lies beside the folder of this file, both of the sources and of the build. */
function ownVersion(): string {
  const own: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof own === "object" && own !== null && "version" in own ? String(own.version) : "unknown";
}
