import { describe, expect, it } from "@jest/globals";
import { readFileSync } from "node:fs";
import { tally } from "./readme-example.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README", () => {
  it("shows the example that is run here", () => {
    const example = readFileSync(new URL("./readme-example.ts", import.meta.url), "utf8");
    expect(readme).toContain(example);
    expect(Object.fromEntries(tally(['{"click_id":"c-1"}', "{oops", ""]))).toEqual({
      "wrong-shape": 1,
      "invalid-json": 1,
      blank: 1,
    });
  });
});
