import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { startProgram } from "@millrace/local-redis/programs";
import type { StartedProgram } from "@millrace/local-redis/programs";

const bench = (...args: readonly string[]): StartedProgram =>
  startProgram(join(import.meta.dirname, "../src/main.ts"), { args });

test("the selected case is printed as a JSON object, with its targets", async () => {
  const { code, output, complaints } = await bench("engine", "--case=a", "--scale=0.001", "--json").ended;
  expect({ code, complaints }).toEqual({ code: 0, complaints: [] });
  expect(output.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      case: "a",
      ratioToBareLoop: expect.any(Number),
      targets: [{ ratio: "ratioToBareLoop", atMost: 2.5, met: expect.any(Boolean) }],
    }),
  ]);
});

test.each([
  [["pipeline", "--case=nonsense"], /--case.*nonsense/],
  [["nonsense"], /no benchmark "nonsense".*engine, pipeline/],
])("%j is refused by name", async (args, message) => {
  const { code, complaints } = await bench(...args).ended;
  expect(code).toBe(2);
  expect(complaints.join()).toMatch(message);
});

test("a benchmark that is interrupted ends at once, and says so", async () => {
  const program = bench("engine", "--json", "--case=a,d", "--rounds=100", "--scale=0.001");
  await program.logged("measured");
  program.kill("SIGINT");
  const { code, output, log } = await program.ended;
  expect({ code, output }).toEqual({ code: 1, output: [] });
  expect(log.at(-1)).toMatchObject({ code: "MILLRACE_BENCH_INTERRUPTED" });
});
