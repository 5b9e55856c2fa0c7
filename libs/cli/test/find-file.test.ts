import { basename, dirname, relative } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { findFile } from "@millrace/cli";

const { dirname: here, filename } = import.meta;

describe("findFile", () => {
  test("searches the directory in which the command was typed, then the working directory", () => {
    expect(findFile(basename(filename), { INIT_CWD: here })).toBe(filename);
    expect(findFile(relative(process.cwd(), filename), { INIT_CWD: here })).toBe(filename);
    expect(findFile(relative(process.cwd(), filename), {})).toBe(filename);
    expect(findFile(filename, { INIT_CWD: "/nowhere" })).toBe(filename);
  });

  test("reports the paths that it tried", () => {
    expect(() => findFile("missing.jsonl", { INIT_CWD: here })).toThrow(
      `there is no file ${here}/missing.jsonl or ${process.cwd()}/missing.jsonl`,
    );
  });

  test("refuses a directory", () => {
    expect(() => findFile(basename(here), { INIT_CWD: dirname(here) })).toThrow(`${here} is a directory`);
  });
});
