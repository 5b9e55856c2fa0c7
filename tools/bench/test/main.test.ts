import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { startProgram } from "@millrace/local-redis/programs";
import type { ProgramEnd } from "@millrace/local-redis/programs";

const bench = (...args: readonly string[]): Promise<ProgramEnd> =>
  startProgram(join(import.meta.dirname, "../dist/main.js"), { args }).ended;

test("a table with the selected case is printed", async () => {
  const { code, output, complaints } = await bench("engine", "--case=a", "--scale=0.001");
  expect({ code, complaints }).toEqual({ code: 0, complaints: [] });
  expect(output.slice(2)).toEqual([
    expect.stringMatching(/^\| contender .*\| to the bare loop +\| peak MiB/),
    expect.stringMatching(/^\| -+ \|/),
    expect.stringMatching(/^\| a: 1 key.*x \(at most 2\.5x: (met|missed)\)/),
  ]);
});

test.each([
  [["pipeline", "--case=nonsense"], /--case.*nonsense/],
  [["nonsense"], /no benchmark "nonsense".*engine, pipeline/],
])("%j is refused by name", async (args, message) => {
  const { code, complaints } = await bench(...args);
  expect(code).toBe(2);
  expect(complaints.join()).toMatch(message);
});
