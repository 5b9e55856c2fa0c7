import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

const PROJECT = join(import.meta.dirname, "..");
const snippets = [...readFileSync(join(PROJECT, "README.md"), "utf8").matchAll(/```ts\n(.*?)```/gs)].map(
  ([, code = ""]) => code,
);

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

describe("README", () => {
  test("the first snippet prints what it says", () => {
    const [snippet = ""] = snippets;
    const promised = [...snippet.matchAll(/^\/\/ (books .*)$/gm)].map(([, line]) => line);
    const [first, second] = run(snippet).split("\n");
    expect([first]).toEqual(promised);
    expect(second).toMatch(/^Windows of 1m side by side\./);
  });

  test("a fold of your own counts", () => {
    const [, snippet = ""] = snippets;
    const use = `
      const engine = createWindowEngine({ windower: tumbling(9), clock: systemTime(), fold: words });
      engine.process({ keys: ["k", "k", "k"], values: ["x", "y", "x"] }, 1);
      console.log(JSON.stringify(engine.finish("end").results[0]?.value));`;
    const imports = `import { createWindowEngine, foldOf, mapCodec, systemTime, tumbling } from "@millrace/windowing";\n`;
    expect(run(imports + snippet + use)).toBe('{"x":2,"y":1}\n');
  });
});
