import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Runs code as a program of a user's own, and gives what it prints. */
export function runSnippet(code: string): string {
  // Inside the project, so that its name resolves as it does for users.
  const folder = mkdtempSync(join(import.meta.dirname, "../../out-tsc-snippet-"));
  try {
    const file = join(folder, "snippet.ts");
    writeFileSync(file, code);
    const command = ["--conditions=@millrace/source", "--import", "tsx", file];
    return execFileSync(process.execPath, command, {
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "", FORCE_COLOR: "0" },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
