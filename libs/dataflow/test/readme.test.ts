import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const library = join(import.meta.dirname, "..");

test("the README's example prints what the README says", async () => {
  const readme = await readFile(join(library, "README.md"), "utf8");
  const [example = "", output = ""] = [...readme.matchAll(/^```(?:ts)?\n(.*?)^```/gms)].map(
    ([, code]) => code,
  );
  // Inside the library, so that its imports resolve as a user's do.
  const folder = await mkdtemp(join(library, "out-tsc-readme-"));
  try {
    const script = join(folder, "example.ts");
    await writeFile(script, example);
    const node = ["--conditions=@millrace/source", "--import", "tsx", script];
    const { stdout } = await promisify(execFile)(process.execPath, node, {
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    expect(stdout).toBe(output);
  } finally {
    await rm(folder, { recursive: true });
  }
});
