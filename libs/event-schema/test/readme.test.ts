import { describe, expect, it } from "@jest/globals";
import { readFileSync } from "node:fs";
import {
  DEFAULT_FRAME_LIMITS,
  FrameEncodeError,
  InvalidOptionError,
  type FrameFailureCode,
} from "@millrace/event-schema";
import { message, tally } from "./readme-example.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

const frameCodes: Record<FrameFailureCode, true> = {
  "too-large": true,
  "too-many-events": true,
  "unknown-version": true,
  "bad-header": true,
  "count-mismatch": true,
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
    expect(Object.fromEntries(tally(message))).toEqual({ "wrong-shape": 1, "invalid-json": 1, blank: 1 });
  });

  it("lists every failure of a message, and every error", () => {
    expect(listed("Failures of a message").sort()).toEqual(Object.keys(frameCodes).sort());
    expect(listed("Errors").sort()).toEqual([FrameEncodeError.code, InvalidOptionError.code].sort());
  });

  it("tells the true options and defaults", () => {
    for (const [name, value] of Object.entries(DEFAULT_FRAME_LIMITS)) {
      expect(section("Options")).toMatch(
        new RegExp(`^\\| \`${name}\` +\\| \`${JSON.stringify(value)}\``, "m"),
      );
    }
  });
});
