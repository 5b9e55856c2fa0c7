import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { runSnippet } from "./support/run-snippet.ts";

const PROJECT = join(import.meta.dirname, "..");
const snippets = [...readFileSync(join(PROJECT, "README.md"), "utf8").matchAll(/```ts\n(.*?)```/gs)].map(
  ([, code = ""]) => code,
);

describe("README", () => {
  test("the first snippet prints what it says", () => {
    const [snippet = ""] = snippets;
    const promised = [...snippet.matchAll(/^\/\/ (books .*)$/gm)].map(([, line]) => line);
    const [first, second] = runSnippet(snippet).split("\n");
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
    expect(runSnippet(imports + snippet + use)).toBe('{"x":2,"y":1}\n');
  });
});
