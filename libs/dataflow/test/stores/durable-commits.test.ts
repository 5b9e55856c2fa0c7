import { mkdtemp, open, readFile, readdir, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { FileStore } from "@millrace/dataflow";
import type { Commit, TaskId } from "@millrace/dataflow";

const TASK: TaskId = { flow: "counts", part: "clicks" };
const COMMIT: Commit = {
  number: 1,
  format: 1,
  signature: "counts v1",
  position: 7,
  sinks: {},
  changes: [{ group: "w/1", put: [["a", 1]] }],
  outputs: [],
  partial: false,
  watermark: null,
  counts: null,
};

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-durable-"));
});

afterEach(async () => {
  jest.restoreAllMocks();
  await rm(directory, { recursive: true });
});

test("a commit is renamed when its content is on disk, and acknowledged when its name is on disk", async () => {
  const folder = join(directory, TASK.flow, TASK.part);
  const task = await new FileStore(directory).acquire(TASK);
  const seen: string[] = [];
  const note = async (what: string): Promise<void> => {
    const named = (await readdir(folder)).includes("commit-1");
    seen.push(`${what} with ${named ? "the" : "no"} commit`);
  };
  const handles = await handlePrototype();
  const content = jest.spyOn(handles, "datasync").mockImplementation(async function (this: FileHandle) {
    await note("content");
    content.mockRestore();
    await this.datasync();
  });
  const names = jest.spyOn(handles, "sync").mockImplementation(async function (this: FileHandle) {
    await note("names");
    names.mockRestore();
    await this.sync();
  });
  await task.commit(COMMIT);
  expect(seen).toEqual(["content with no commit", "names with the commit"]);
  expect(await readFile(join(folder, "commit-1"), "utf8")).toContain('"counts v1"');
});

/** What all open files share: a disk that loses what was not synchronised cannot be had in a test. */
async function handlePrototype(): Promise<FileHandle> {
  const handle = await open(directory, "r");
  try {
    return Object.getPrototypeOf(handle) as FileHandle;
  } finally {
    await handle.close();
  }
}
