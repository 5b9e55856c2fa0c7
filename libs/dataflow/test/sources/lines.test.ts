import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import { JsonlFileSource, SILENT_LOGGER, SYSTEM_TIME } from "@millrace/dataflow";
import type { DecodeFailure, Json, LineOptions, PartContext, RawLine } from "@millrace/dataflow";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-lines-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Reading {
  readonly lines: readonly RawLine[];
  readonly rejected: readonly { readonly head: string; readonly reason: DecodeFailure }[];
  /** Position after each batch. */
  readonly positions: readonly Json[];
}

async function readFile(
  content: string | Uint8Array,
  options?: LineOptions,
  resume?: Json,
): Promise<Reading> {
  const path = join(folder, "events.jsonl");
  await writeFile(path, content);
  const rejected: Reading["rejected"][number][] = [];
  const context: PartContext = {
    step: "in",
    logger: SILENT_LOGGER,
    time: SYSTEM_TIME,
    signal: new AbortController().signal,
    reject: (payload, reason) => rejected.push({ head: Buffer.from(payload).toString("latin1"), reason }),
  };
  const partition = await new JsonlFileSource(path, options).buildPart(path, resume, context);
  const lines: RawLine[] = [];
  const positions: Json[] = [];
  for (let batch = await partition.nextBatch(); batch.kind === "batch"; batch = await partition.nextBatch()) {
    lines.push(...batch.events);
    positions.push(partition.snapshot());
  }
  await partition.close();
  return { lines, rejected, positions };
}

describe("the lines of a file", () => {
  test("come as they are, with or without a last line end, blank ones too", async () => {
    expect((await readFile("a\n\nb\r\nc")).lines).toEqual(["a", "", "b\r", "c"]);
    expect((await readFile("a\nb\n")).lines).toEqual(["a", "b"]);
    expect((await readFile("")).lines).toEqual([]);
  });

  test("are bytes where they are not valid UTF-8, and only there", async () => {
    const { lines } = await readFile(
      Buffer.concat([Buffer.from("é\n"), Buffer.from([0xc3, 0x28, 0x0a]), Buffer.from("z\n")]),
    );
    expect(lines).toEqual(["é", Buffer.from([0xc3, 0x28]), "z"]);
  });

  test("are refused beyond the bound without being held, and their neighbours are not touched", async () => {
    const content = `before\n${"x".repeat(100_000)}\nafter\n${"y".repeat(50_000)}`;
    const { lines, rejected, positions } = await readFile(content, {
      maxLineBytes: 10_000,
      chunkBytes: 4_096,
    });
    expect(lines).toEqual(["before", "after"]);
    expect(rejected.map(({ head, reason }) => [head.slice(0, 3), reason.code, reason.message])).toEqual([
      ["xxx", "too-large", "a line of 100000 bytes is longer than the bound"],
      ["yyy", "too-large", "a line of 50000 bytes is longer than the bound"],
    ]);
    expect(positions.at(-1)).toBe(content.length);
  });

  test("are held up to the bound and a chunk more, however long they are", async () => {
    const concat = jest.spyOn(Buffer, "concat");
    try {
      await readFile("x".repeat(100_000), { maxLineBytes: 10_000, chunkBytes: 4_096 });
      const held = concat.mock.results.map(({ value }) => (value instanceof Uint8Array ? value.length : NaN));
      expect(Math.max(...held)).toBeLessThanOrEqual(10_000 + 4_096);
    } finally {
      concat.mockRestore();
    }
  });

  test("are the same however the file is cut into chunks, and resume exactly at every position", async () => {
    const line = fc.oneof(
      fc.string({ maxLength: 30, unit: "binary" }).map((text) => text.replaceAll("\n", " ")),
      fc.constantFrom("x".repeat(60), "é".repeat(40), ""),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 90 }),
        async (lines, ended, chunkBytes) => {
          const content = lines.join("\n") + (ended && lines.length > 0 ? "\n" : "");
          const options = { maxLineBytes: 50, chunkBytes };
          const whole = await readFile(content, { maxLineBytes: 50 });
          const cut = await readFile(content, options);
          expect(cut.lines).toEqual(whole.lines);
          expect(cut.rejected.map(({ reason }) => reason)).toEqual(
            whole.rejected.map(({ reason }) => reason),
          );
          let read = 0;
          for (const position of cut.positions) {
            const rest = await readFile(content, options, position);
            read = cut.lines.length - rest.lines.length;
            expect(rest.lines).toEqual(cut.lines.slice(read));
          }
          if (cut.positions.length > 0) expect(read).toBe(cut.lines.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("that cannot be read are an error that names the file", async () => {
    const context: PartContext = {
      step: "in",
      logger: SILENT_LOGGER,
      time: SYSTEM_TIME,
      signal: new AbortController().signal,
      reject: () => undefined,
    };
    await expect(
      new JsonlFileSource("x").buildPart(join(folder, "absent"), undefined, context),
    ).rejects.toMatchObject({
      code: "MILLRACE_SOURCE_FAILED",
      message: expect.stringContaining("absent"),
    });
  });
});
