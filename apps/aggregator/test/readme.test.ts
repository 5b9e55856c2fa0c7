import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { aggregatorCommand } from "./support/programs.ts";

const ROOT = join(import.meta.dirname, "../../..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const FLOWS = readFileSync(join(ROOT, "docs/flows.md"), "utf8");
const DELIVERY = readFileSync(join(ROOT, "docs/delivery.md"), "utf8");
const COUNT = readFileSync(join(ROOT, "docs/count.md"), "utf8");
const OPTIONS = readFileSync(join(ROOT, "docs/options.md"), "utf8");
const PAGES = [README, FLOWS, DELIVERY, COUNT];

function block(page: string, language: string): string {
  const [, code] = new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, "s").exec(page) ?? [];
  if (code === undefined) throw new Error(`the page has no block of ${language}`);
  return code;
}

function withoutIndentation(code: string): string {
  return code.replace(/^ +/gm, "");
}

describe("README and docs", () => {
  test("shows the flow as it is written", () => {
    const source = readFileSync(join(ROOT, "apps/aggregator/src/flows/mobile-counts.ts"), "utf8");
    expect(withoutIndentation(source)).toContain(withoutIndentation(block(README, "ts")));
  });

  test("draws the flow as the command does", async () => {
    const { output } = await aggregatorCommand(["graph", "--flow=mobile-counts"]).ended;
    expect(output.join("\n")).toBe(block(FLOWS, "mermaid"));
  });

  test("names only options that exist", () => {
    // A check holds that page against the programs' `--help`.
    const known = new Set(OPTIONS.match(/--[a-z]+(-[a-z]+)*/g));
    const OTHERS = ["--silent", "--scan", "--pattern", "--save-dev", "--min-price"];
    const named = PAGES.flatMap((page) => page.match(/(?<=[\s`(])--[a-z]+(-[a-z]+)*/g) ?? []);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((flag) => !known.has(flag) && !OTHERS.includes(flag))).toEqual([]);
  });
});
