import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { startProgram } from "@millrace/local-redis/programs";

const program = join(import.meta.dirname, "programs/greet.ts");

test("the README's program runs with a flag and with a variable, and refuses an invalid value", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${await readFile(program, "utf8")}\`\`\``);
  expect(await startProgram(program, { args: ["--times=2"] }).ended).toMatchObject({
    code: 0,
    output: ["hello", "hello"],
  });
  expect(await startProgram(program, { env: { GREET_TIMES: "3" } }).ended).toMatchObject({
    output: ["hello", "hello", "hello"],
  });
  expect(await startProgram(program, { args: ["--times=many"] }).ended).toMatchObject({
    code: 2,
    output: [],
  });
});
