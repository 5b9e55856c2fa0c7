import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { aggregatorCommand, helpOf } from "./support/programs.ts";

const ROOT = join(import.meta.dirname, "../../..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");

function block(language: string): string {
  const [, code] = new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, "s").exec(README) ?? [];
  if (code === undefined) throw new Error(`the README has no block of ${language}`);
  return code;
}

function withoutIndentation(code: string): string {
  return code.replace(/^ +/gm, "");
}

describe("the README", () => {
  test("shows the flow as it is written", () => {
    const source = readFileSync(join(ROOT, "apps/aggregator/src/flows/mobile-counts.ts"), "utf8");
    expect(withoutIndentation(source)).toContain(withoutIndentation(block("ts")));
  });

  test("draws the flow as the command does", async () => {
    const { output } = await aggregatorCommand(["graph", "--flow=mobile-counts"]).ended;
    expect(output.join("\n")).toBe(block("mermaid"));
  });

  test.each([
    ["aggregator"],
    ["aggregator", "graph"],
    ["aggregator", "inspect"],
    ["aggregator", "reset"],
    ["publisher"],
  ])("has every option of %s %s", async (app, ...command) => {
    const help = await helpOf(app, command);
    const flags = [...help.matchAll(/^ +(?:-h, )?(--[a-z-]+)/gm)].map(([, flag = ""]) => flag);
    const variables = [...help.matchAll(/\b[A-Z]+_[A-Z_]+\b/g)].map(([variable]) => variable);
    expect(flags.length).toBeGreaterThan(8);
    expect([...flags, ...variables].filter((name) => !README.includes(name))).toEqual([]);
  });
});
