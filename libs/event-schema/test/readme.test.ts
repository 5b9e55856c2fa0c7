import { describe, expect, it } from "@jest/globals";
import { readFileSync } from "node:fs";
import {
  DEFAULT_CLICK_CODEC_OPTIONS,
  InvalidOptionError,
  type DecodeFailureCode,
} from "@millrace/event-schema";
import { tally } from "./readme-example.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

const lineCodes: Record<DecodeFailureCode, true> = {
  "too-large": true,
  "invalid-utf8": true,
  "invalid-json": true,
  "wrong-shape": true,
};
/** The text below a heading, up to the next one. */
function section(heading: string): string {
  return readme.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
}

/** The codes in the first column of a section's table. */
function listed(heading: string): string[] {
  return [...section(heading).matchAll(/^\| `([^`]+)`/gm)].map((row) => row[1] ?? "");
}

describe("the README", () => {
  it("shows the example that is run here", () => {
    const example = readFileSync(new URL("./readme-example.ts", import.meta.url), "utf8");
    expect(section("Example")).toContain(example);
    expect(Object.fromEntries(tally(['{"click_id":"c-1"}', "{oops", ""]))).toEqual({
      "wrong-shape": 1,
      "invalid-json": 1,
      blank: 1,
    });
  });

  it("lists every failure of a line, and every error", () => {
    expect(listed("Failures of a line").sort()).toEqual(Object.keys(lineCodes).sort());
    expect(listed("Errors").sort()).toEqual([InvalidOptionError.code]);
  });

  it("lists the options and their defaults", () => {
    const options = DEFAULT_CLICK_CODEC_OPTIONS;
    for (const [name, value] of Object.entries(options)) {
      expect(section("Options")).toMatch(
        new RegExp(`^\\| \`${name}\` +\\| \`${JSON.stringify(value)}\``, "m"),
      );
    }
  });
});
