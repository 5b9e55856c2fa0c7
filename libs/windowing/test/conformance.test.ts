import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { MalformedVectorsError, type Fields } from "../conformance/fields.ts";
import { runVector, summaryOf, vectorsOf } from "../conformance/run-vectors.ts";
import { sharedVectors } from "../conformance/shared-vectors.ts";
import { runStream } from "../conformance/stream.ts";
import { VECTOR_FILES } from "./vectors/files.ts";

const ROOT = join(import.meta.dirname, "../../..");
const OWN = join(import.meta.dirname, "vectors.json");
const SHARED = sharedVectors(
  join(ROOT, "../shared/conformance"),
  ["windowing-vectors.json", "stream-vectors.json"],
  (line) => process.stderr.write(line),
);

function load(file: string): readonly Fields[] {
  return vectorsOf(JSON.parse(readFileSync(file, "utf8")));
}

function failuresOf(vectors: readonly Fields[]): readonly unknown[] {
  return vectors.map(runVector).filter(({ status }) => status === "failed");
}

/** Runs the command line, and gives what it printed and its exit code. */
function runCommand(...args: readonly string[]): { readonly code: number; readonly output: string } {
  const command = [
    "--conditions=@millrace/source",
    "--import",
    "tsx",
    "libs/windowing/conformance/main.ts",
    ...args,
  ];
  const options = {
    cwd: ROOT,
    encoding: "utf8",
    stdio: "pipe",
    env: { ...process.env, NODE_OPTIONS: "", FORCE_COLOR: "0" },
  } as const;
  try {
    return { code: 0, output: execFileSync(process.execPath, command, options) };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, output: stdout + stderr };
  }
}

describe("the vectors of this library", () => {
  test.each(load(OWN).map((vector) => [vector.text("id"), vector] as const))("%s", (_, vector) => {
    expect(runVector(vector)).toMatchObject({ status: "passed" });
  });
});

describe.each(VECTOR_FILES)("the vectors of $name", ({ path, text }) => {
  test("equal the output of the oracles (if not: npx nx run windowing:vectors)", () => {
    expect(readFileSync(path, "utf8")).toBe(text());
  });
});

for (const file of [...VECTOR_FILES.map(({ path }) => path), ...SHARED]) {
  describe(`the engine, by ${relative(ROOT, file)}`, () => {
    test("passes all", () => {
      expect(failuresOf(load(file))).toEqual([]);
    });

    test("emits the same in pages", () => {
      for (const vector of load(file).filter((candidate) => candidate.text("kind") === "stream")) {
        const id = vector.text("id");
        expect([id, runStream(vector, { pageSize: 1 })]).toEqual([id, undefined]);
      }
    });
  });
}

describe("vectors beside the repository", () => {
  test("are named in one line if they are missing", () => {
    const lines: string[] = [];
    const here = basename(OWN);
    const found = sharedVectors(import.meta.dirname, [here, "a.json", "b.json"], (line) => lines.push(line));
    expect(found).toEqual([OWN]);
    expect(lines).toEqual([`LEFT OUT: a.json, b.json: not in ${import.meta.dirname}\n`]);
    expect(sharedVectors(import.meta.dirname, [here], (line) => lines.push(line))).toEqual([OWN]);
    expect(lines).toHaveLength(1);
  });
});

describe("the runner", () => {
  const [first] = JSON.parse(readFileSync(OWN, "utf8")) as [Record<string, unknown>];

  test("fails a vector if any of its expectations is not met", () => {
    const wrong = [
      { ...first, counted: 99 },
      { ...first, late: 99 },
      { ...first, expected_results: [] },
      { ...first, expected_late: [["a", 0, 0]] },
      { ...first, emitted_after_item: [0, "end"] },
    ];
    expect(
      vectorsOf(wrong)
        .map(runVector)
        .map(({ status }) => status),
    ).toEqual(wrong.map(() => "failed"));
  });

  test("accepts only the recommended result if the original is known to be wrong", () => {
    const vectors = JSON.parse(readFileSync(OWN, "utf8")) as Record<string, unknown>[];
    const known = vectors.find(({ id }) => id === "own-pipeline-window-opens-once") ?? {};
    const wrong = [
      { ...known, recommended_down: known["expected_down"] },
      { ...known, recommended_down: undefined },
      { ...known, expected_meta: [] },
    ];
    expect(
      vectorsOf([known, ...wrong])
        .map(runVector)
        .map(({ status }) => status),
    ).toEqual(["passed", "failed", "failed", "failed"]);
  });

  test("refuses a file that does not hold vectors, and names the place", () => {
    expect(() => vectorsOf({})).toThrow("file.vectors must be a list");
    expect(() => vectorsOf([{ id: "x", kind: "unheard of" }])).toThrow(MalformedVectorsError);
    expect(() => vectorsOf([1])).toThrow("file.vectors[0] must be an object");
    const withoutItems = vectorsOf([{ ...first, items: undefined }]);
    expect(() => withoutItems.map(runVector)).toThrow("items must be a list, but is absent");
  });

  test("reports how many passed, failed and were skipped", () => {
    const operator = { id: "o", kind: "operator" };
    const verdicts = vectorsOf([first, { ...first, late: 99 }, operator]).map(runVector);
    expect(summaryOf(verdicts)).toBe("1 passed, 1 failed, 1 skipped");
    expect(verdicts[2]?.reason).toMatch(/operators/);
  });

  test("exits with 0 only if none failed, with 2 if the file cannot be read", () => {
    const folder = mkdtempSync(join(tmpdir(), "vectors-"));
    try {
      const wrong = join(folder, "wrong.json");
      writeFileSync(wrong, JSON.stringify([{ ...first, late: 99 }]));
      expect(runCommand(`--vectors=${OWN}`)).toMatchObject({
        code: 0,
        output: expect.stringMatching(/ 0 failed, 0 skipped\n$/),
      });
      expect(runCommand(`--vectors=${wrong}`)).toMatchObject({
        code: 1,
        output: expect.stringMatching(/^FAILED .*\n0 passed, 1 failed, 0 skipped\n$/),
      });
      expect(runCommand("--vectors=package.json")).toMatchObject({
        code: 2,
        output: expect.stringContaining("file.vectors must be a list"),
      });
      expect(runCommand()).toMatchObject({ code: 2 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
