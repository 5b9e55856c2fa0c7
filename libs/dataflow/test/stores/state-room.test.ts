import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { FileStore, requireRoom } from "@millrace/dataflow";

test("state with too many fields is refused before it is loaded, with a remedy", () => {
  expect(() => {
    requireRoom("somewhere", 300_000, 256 * 2 ** 20);
  }).not.toThrow();
  expect(() => {
    requireRoom("somewhere", 300_000, 128 * 2 ** 20);
  }).toThrow(
    expect.objectContaining({
      code: "MILLRACE_STATE_TOO_LARGE",
      message: expect.stringMatching(/^somewhere: .*300000 fields.* 128 MiB.*--max-old-space-size/),
    }),
  );
});

describe("a FileStore whose state was written by a process with more heap", () => {
  const task = { flow: "large", part: "0" };
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-room-"));
    const owner = await new FileStore(folder).acquire(task);
    const put = Array.from({ length: 300_000 }, (_, n) => [`key ${n}`, n] as const);
    const rest = {
      format: 1,
      signature: "s",
      position: 0,
      sinks: {},
      outputs: [],
      partial: false,
      watermark: null,
    };
    // Large enough to be folded at once.
    await owner.commit({ number: 1, changes: [{ group: "w/1", put }], counts: null, ...rest });
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test.each(["look", "load"])(
    "refuses it with a code, in a %s, instead of running out of memory",
    async (way) => {
      const script = `
      import { FileStore } from "@millrace/dataflow";
      const store = new FileStore(process.argv[1]);
      const task = ${JSON.stringify(task)};
      try {
        await ${way === "look" ? "store.look(task)" : "(await store.acquire(task)).load()"};
        console.log("taken");
      } catch (error) {
        console.log(error.code);
      }`;
      // The build, which starts in a third of the time.
      const args = ["--max-old-space-size=32"];
      const options = { cwd: join(import.meta.dirname, "../.."), env: { ...process.env, NODE_OPTIONS: "" } };
      const child = spawn(process.execPath, [...args, "--input-type=module", "-e", script, folder], options);
      const closed = once(child, "close");
      const output = await text(child.stdout);
      await closed;
      expect([output.trim(), child.exitCode]).toEqual(["MILLRACE_STATE_TOO_LARGE", 0]);
    },
    20_000,
  );
});
