import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { describeSchema } from "../src/describe/describe-schema.ts";
import { LineLayout } from "../src/projection/line-layout.ts";
import { TextPool } from "../src/projection/text-pool.ts";

const line = '{"id":"v-1","zone":"Europe/Madrid","mobile":true,"age":30}';
const schema = z.object({
  id: z.string(),
  zone: z.string().min(1),
  mobile: z.boolean(),
  age: z.number().optional(),
});
const fields = describeSchema(schema)?.fields ?? new Map();
const names = new Map(["mobile", "zone", "age"].map((name) => [name, new TextPool()]));
const MADRID = { mobile: true, zone: "Europe/Madrid", age: 30 };

/** The wanted fields by the layout of `model`; undefined where the line is of another one, or there is none. */
function read(model: string, text: string): object | undefined {
  return LineLayout.of(model, { names, fields })?.read(text);
}

function more(written: string): string {
  return `${line.slice(0, -1)},${written}}`;
}

describe("LineLayout", () => {
  it("reads the wanted values of lines that differ in values alone", () => {
    expect(read(line, line)).toStrictEqual(MADRID);
    const other = { id: "{}[]:,'", zone: "Zürich", mobile: false, age: -1.5e-3 };
    expect(read(line, JSON.stringify(other))).toStrictEqual({ mobile: false, zone: "Zürich", age: -0.0015 });
  });

  it("has the order and the white space of its model", () => {
    const spaced = line.replaceAll('":', '": ').replaceAll(',"', ', "');
    expect(read(spaced, spaced)).toStrictEqual(MADRID);
    expect(read(spaced, line)).toBeUndefined();
    expect(read(line, spaced)).toBeUndefined();
    expect(read(line, '{"zone":"Europe/Madrid","id":"v-1","mobile":true,"age":30}')).toBeUndefined();
  });

  it("has the fields of its model: an event lacks what they lack", () => {
    const young = '{"id":"v-1","zone":"UTC","mobile":true}';
    expect(read(young, young)).toStrictEqual({ mobile: true, zone: "UTC" });
    expect(read(young, line)).toBeUndefined();
    expect(read(line, young)).toBeUndefined();
  });

  it.each([
    ["an empty text where none may be", line.replace("Europe/Madrid", "")],
    ["an escape", line.replace("v-1", String.raw`\u0041`)],
    ["a control character", line.replace("v-1", "v\t1")],
    ["a number that may be too large", line.replace("30", "1e100")],
    ["a text for a number", line.replace("30", '"30"')],
    ["a null", line.replace("true", "null")],
    ["something after it", `${line} x`],
  ])("does not read a line with %s", (_, text) => {
    expect(read(line, text)).toBeUndefined();
  });

  it.each(['"x":"Firefox"', '"x":-12.5e+3', '"x":false', '"x":null', '"__proto__":"other"'])(
    "may have the unknown field %s",
    (written) => {
      const model = more(written);
      expect(read(model, model)).toStrictEqual(MADRID);
      expect(read(model, line)).toBeUndefined();
      expect(read(line, model)).toBeUndefined();
    },
  );

  it("takes names as they are, whatever they mean in a pattern", () => {
    const model = more('"a.*(b|c)[d]{2}\u00e9$^+?":"other"');
    expect(read(model, model)).toStrictEqual(MADRID);
    expect(read(model, model.replace("a.*", "abc"))).toBeUndefined();
  });

  it.each([
    ["an escape", line.replace("v-1", String.raw`\u0041`)],
    ["an escaped name", line.replace('"id"', String.raw`"\u0069d"`)],
    ["an object", more('"x":{"zone":"UTC"}')],
    ["a list", more('"x":["zone"]')],
    ["a name twice", more('"id":"other"')],
    ["a control character", line.replace("v-1", "v\t1")],
    ["something after it", `${line} x`],
    ["nothing in it", "{}"],
    ["a required field missing, which something else supplies", '{"id":"v-1","mobile":true}'],
    ["very many characters", line.replace("v-1", "x".repeat(5_000))],
  ])("is not had from a line with %s", (_, text) => {
    expect(LineLayout.of(text, { names, fields })).toBeUndefined();
  });
});
