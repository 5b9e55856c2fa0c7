import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe as suite, expect, test } from "@jest/globals";
import { IterableSource, describe, toMermaid } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { TumblingWindower } from "@millrace/windowing";
import { mobileCounts } from "../src/flows/mobile-counts.ts";
import { helpOf } from "./support/programs.ts";

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

suite("the README", () => {
  test("shows the flow as it is written", () => {
    const source = readFileSync(join(ROOT, "apps/aggregator/src/flows/mobile-counts.ts"), "utf8");
    expect(withoutIndentation(source)).toContain(withoutIndentation(block("ts")));
  });

  test("shows the flow as it is", () => {
    const windower = new TumblingWindower({ lengthMs: 5_000 });
    const flow = mobileCounts({
      source: new IterableSource([]),
      out: new TestingSink(),
      windower,
      meta: false,
    });
    expect(block("mermaid")).toBe(toMermaid(describe(flow)).trimEnd());
  });

  test.each(["aggregator", "publisher"])("has every option of the %s", async (app) => {
    const help = await helpOf(app);
    const flags = [...help.matchAll(/^ +(?:-h, )?(--[a-z-]+)/gm)].map(([, flag = ""]) => flag);
    const variables = [...help.matchAll(/\b[A-Z]+_[A-Z_]+\b/g)].map(([variable]) => variable);
    expect(flags.length).toBeGreaterThan(10);
    for (const name of [...flags, ...variables]) expect(README).toContain(name);
  });
});
