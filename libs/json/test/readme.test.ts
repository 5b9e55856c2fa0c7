import { describe, expect, it } from "@jest/globals";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AsyncSchemaError,
  DEFAULT_JSON_OPTIONS,
  InvalidOptionError,
  type DecodeFailureCode,
} from "@millrace/json";

const PROJECT = join(import.meta.dirname, "..");
const readme = readFileSync(join(PROJECT, "README.md"), "utf8");
const snippets = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);

const CODES: Record<DecodeFailureCode, true> = {
  "too-large": true,
  "invalid-utf8": true,
  "invalid-json": true,
  "duplicate-name": true,
  "wrong-shape": true,
  "schema-threw": true,
};

/** Runs code as a program of a user's own. */
function run(code: string): string {
  // Inside the project, so that its name resolves as it does for users.
  const folder = mkdtempSync(join(PROJECT, "out-tsc-readme-"));
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

/** The codes in the first column of a section's table. */
function listed(heading: string): string[] {
  const section = readme.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map((row) => row[1] ?? "");
}

describe("the README", () => {
  it.each(snippets.map((code, i) => [i + 1, code] as const))(
    "has snippet %i print what it says",
    (_, code) => {
      const promised = [...code.matchAll(/^\/\/ (.*)$/gm)].map(([, line = ""]) => line);
      expect(promised.length).toBeGreaterThan(0);
      expect(run(code).trimEnd().split("\n")).toEqual(promised);
    },
  );

  it("lists every failure of a line, and every error", () => {
    expect(listed("Failures of a line").sort()).toEqual(Object.keys(CODES).sort());
    expect(listed("Errors").sort()).toEqual([AsyncSchemaError.code, InvalidOptionError.code].sort());
  });

  it("has the true options and defaults", () => {
    expect(listed("Options")).toEqual(Object.keys(DEFAULT_JSON_OPTIONS));
    for (const [name, value] of Object.entries(DEFAULT_JSON_OPTIONS)) {
      expect(readme).toMatch(new RegExp(`^\\| \`${name}\` +\\| \`${JSON.stringify(value)}\``, "m"));
    }
  });
});
