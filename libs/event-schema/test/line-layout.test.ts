import { describe, expect, it } from "@jest/globals";
import { LineLayout } from "../src/line-layout.ts";
import { click } from "./click-samples.ts";
import { NASTY_LINES } from "./nasty-lines.ts";

const line = JSON.stringify(click);
const WANTED = ["device_is_mobile", "os_timezone"] as const;

/** The wanted values by the layout of `model`; undefined if the line has another layout, or the model has none. */
function read(model: string, text: string): readonly (string | undefined)[] | undefined {
  const layout = LineLayout.of(model, WANTED);
  const values = layout?.match(text) ?? undefined;
  return values && layout?.groups.map((group) => values[group]);
}

describe("LineLayout", () => {
  it("reads the wanted values of lines that differ only in values", () => {
    const other = { ...click, click_id: "", os: "{}[]:,'", os_timezone: "Zürich", device_is_mobile: false };
    expect(read(line, line)).toEqual(["true", "Europe/Madrid"]);
    expect(read(line, JSON.stringify(other))).toEqual(["false", "Zürich"]);
  });

  it("has the order and the white space of its model", () => {
    const spaced = NASTY_LINES["spaces after colons and commas"] ?? "";
    expect(read(spaced, spaced)).toEqual(["true", "Europe/Madrid"]);
    expect(read(spaced, line)).toBeUndefined();
    expect(read(line, spaced)).toBeUndefined();
    expect(read(line, NASTY_LINES["another order"] ?? "")).toBeUndefined();
  });

  it.each([
    "an unknown text",
    "an unknown number",
    "an unknown boolean",
    "an unknown null",
    "a prototype as text",
  ])("may have %s", (name) => {
    const model = NASTY_LINES[name] ?? "";
    expect(read(model, model)).toEqual(["true", "Europe/Madrid"]);
    expect(read(model, line)).toBeUndefined();
    expect(read(line, model)).toBeUndefined();
  });

  it("takes names literally, also those with special characters of patterns", () => {
    const model = NASTY_LINES["a name that looks like a pattern"] ?? "";
    expect(read(model, model)).toEqual(["true", "Europe/Madrid"]);
    expect(read(model, model.replace("a.*", "abc"))).toBeUndefined();
  });

  it.each([
    "an escaped quote",
    "an escaped field name",
    "an unknown object",
    "an unknown list",
    "a field twice",
    "a raw tab",
    "something after it",
  ])("is not had from a line with %s", (name) => {
    expect(LineLayout.of(NASTY_LINES[name] ?? "", WANTED)).toBeUndefined();
  });

  it("has no layout for a very long line", () => {
    expect(LineLayout.of(JSON.stringify({ ...click, os: "x".repeat(5_000) }), WANTED)).toBeUndefined();
  });
});
