import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { CreateProjectError, createProject } from "create-millrace";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "create-millrace-"));
});
afterEach(() => rm(parent, { recursive: true }));

const FILES = [
  ".gitignore",
  "README.md",
  "docker-compose.yml",
  "flow.test.ts",
  "flow.ts",
  "orders.jsonl",
  "package.json",
  "tsconfig.json",
];
const textOf = (file: string): Promise<string> => readFile(join(parent, file), "utf8");

describe("createProject", () => {
  it("writes the files of a project into a new folder, whose name it has", async () => {
    const folder = join(parent, "a/deep/visits");
    expect(await createProject(folder)).toEqual({ folder, name: "visits" });
    expect((await readdir(folder)).sort()).toEqual(FILES);
    expect(JSON.parse(await textOf("a/deep/visits/package.json"))).toMatchObject({ name: "visits" });
    expect(await textOf("a/deep/visits/README.md")).toMatch(/^# visits\n/);
  });

  it("asks for the version of millrace that was released with it", async () => {
    await createProject(join(parent, "visits"));
    const own = JSON.parse(await readFile(join(import.meta.dirname, "../package.json"), "utf8")) as {
      version: string;
    };
    const { dependencies } = JSON.parse(await textOf("visits/package.json")) as {
      dependencies: Record<string, string>;
    };
    expect(dependencies["millrace"]).toBe(`^${own.version}`);
  });

  it.each([
    ["My Flow!", "my-flow"],
    [".hidden", "hidden"],
    ["größe", "gr-e"],
    ["---", "my-flow"],
  ])("makes a name that npm accepts of the folder %s", async (folder, name) => {
    expect(await createProject(join(parent, folder))).toMatchObject({ name });
  });

  it("accepts an empty folder, and one with a repository of git alone", async () => {
    await mkdir(join(parent, "visits/.git"), { recursive: true });
    await createProject(join(parent, "visits"));
    expect((await readdir(join(parent, "visits"))).sort()).toEqual([".git", ...FILES]);
  });

  it("refuses a folder that has files, names one, and writes nothing", async () => {
    await writeFile(join(parent, "notes.txt"), "mine");
    const refused = createProject(parent);
    await expect(refused).rejects.toThrow(CreateProjectError);
    await expect(refused).rejects.toThrow("is not empty, it has notes.txt");
    expect(await readdir(parent)).toEqual(["notes.txt"]);
  });

  it("refuses a path where a file is", async () => {
    await writeFile(join(parent, "visits"), "mine");
    await expect(createProject(join(parent, "visits"))).rejects.toThrow("is a file");
    expect(await textOf("visits")).toBe("mine");
  });
});
