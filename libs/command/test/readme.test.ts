import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { startProgram } from "@millrace/local-redis/programs";

test("the program of the README runs", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const [, example = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  // Beside the library, so that its imports are found.
  const folder = await mkdtemp(join(import.meta.dirname, "readme-"));
  const main = join(folder, "main.ts");
  await writeFile(main, example);
  const ended = await startProgram(main, { args: ["--file=-"], input: "a\nb\n" }).ended;
  await rm(folder, { recursive: true });
  expect(ended).toMatchObject({ code: 0, output: ["a", "b"] });
});
