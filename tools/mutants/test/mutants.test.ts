import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { mutate } from "../src/mutant.ts";
import { MUTANTS } from "../src/mutants.ts";

const ROOT = join(import.meta.dirname, "../../..");

describe("the list of mutants", () => {
  test.each(MUTANTS)("$id changes its file in one place, and names tests that exist", async (mutant) => {
    const text = await readFile(join(ROOT, mutant.file), "utf8");
    expect(mutate(text, mutant)).not.toBe(text);
    expect(mutant.tests.filter((test) => !existsSync(join(ROOT, test)))).toEqual([]);
    expect(mutant.tests).not.toEqual([]);
  });

  test("has unique ids", () => {
    const ids = MUTANTS.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });
});
