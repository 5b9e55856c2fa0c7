import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import * as zlib from "node:zlib";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import fc from "fast-check";
import {
  Dataflow,
  JsonlFileSource,
  ReadableSource,
  SILENT_LOGGER,
  SYSTEM_TIME,
  TextStream,
  run,
} from "@millrace/dataflow";
import type { DecodeFailure, Json, LineOptions, PartContext, RawLine } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";

/** Like the unit "binary" of fast-check, whose table of all characters takes a second to make. */
const anyCharacter = fc.nat(0x10ffff).map((code) => Buffer.from(String.fromCodePoint(code)).toString());

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
    flow: "test",
    step: "in",
    logger: SILENT_LOGGER,
    time: SYSTEM_TIME,
    signal: new AbortController().signal,
    reject: (payload, reason) => rejected.push({ head: Buffer.from(payload).toString("latin1"), reason }),
    fail: () => undefined,
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
  test("come unchanged, blank ones too, with or without a line break after the last one", async () => {
    expect((await readFile("a\n\nb\r\nc")).lines).toEqual(["a", "", "b\r", "c"]);
    expect((await readFile("a\nb\n")).lines).toEqual(["a", "b"]);
    expect((await readFile("")).lines).toEqual([]);
  });

  test("are bytes only if they are not valid UTF-8", async () => {
    const { lines } = await readFile(
      Buffer.concat([Buffer.from("é\n"), Buffer.from([0xc3, 0x28, 0x0a]), Buffer.from("z\n")]),
    );
    expect(lines).toEqual(["é", Buffer.from([0xc3, 0x28]), "z"]);
  });

  test("are bytes on request, also those of compressed files and of streams", async () => {
    const [content, options] = [Buffer.from("é\n\nz"), { as: "bytes" }] as const;
    const lines = [Buffer.from("é"), Buffer.from(""), Buffer.from("z")];
    expect((await readFile(content, options)).lines).toEqual(lines);
    expect((await readFile(gzipSync(content), options)).lines).toEqual(lines);
    const out = new TestingSink<RawLine>();
    const flow = new Dataflow("streamed");
    flow.input("in", new ReadableSource(Readable.from([content]), "text", options)).output("out", out);
    await run(flow);
    expect(out.rows).toEqual(lines);
  });

  test("are refused above maxLineBytes without being kept, and other lines are not affected", async () => {
    const content = `before\n${"x".repeat(100_000)}\nafter\n${"y".repeat(50_000)}`;
    const { lines, rejected, positions } = await readFile(content, {
      maxLineBytes: 10_000,
      chunkBytes: 4_096,
    });
    expect(lines).toEqual(["before", "after"]);
    expect(rejected.map(({ head, reason }) => [head.slice(0, 3), reason.code, reason.message])).toEqual([
      ["xxx", "too-large", "the line has 100000 bytes, more than maxLineBytes allows"],
      ["yyy", "too-large", "the line has 50000 bytes, more than maxLineBytes allows"],
    ]);
    expect(positions.at(-1)).toBe(content.length);
  });

  test("take at most maxLineBytes and a chunk of memory", async () => {
    const concat = jest.spyOn(Buffer, "concat");
    try {
      await readFile("x".repeat(100_000), { maxLineBytes: 10_000, chunkBytes: 4_096 });
      const held = concat.mock.results.map(({ value }) => (value instanceof Uint8Array ? value.length : NaN));
      expect(Math.max(...held)).toBeLessThanOrEqual(10_000 + 4_096);
    } finally {
      concat.mockRestore();
    }
  });

  test("are the same for any chunks, and resume exactly at every position", async () => {
    const line = fc.oneof(
      fc.string({ maxLength: 30, unit: anyCharacter }).map((text) => text.replaceAll("\n", " ")),
      fc.constantFrom("x".repeat(60), "é".repeat(40), ""),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 90 }),
        async (lines, ended, chunkBytes) => {
          // A 0 among the first two bytes is taken for UTF-16, and a mark of UTF-8 is removed.
          const content = `{}${lines.join("\n")}${ended && lines.length > 0 ? "\n" : ""}`;
          const options = { maxLineBytes: 50, chunkBytes };
          const whole = await readFile(content, { maxLineBytes: 50 });
          const cut = await readFile(content, options);
          const bytes = await readFile(content, { ...options, as: "bytes" });
          expect(cut.lines).toEqual(whole.lines);
          expect(bytes.lines).toEqual(whole.lines.map((line) => Buffer.from(line)));
          expect(bytes.positions).toEqual(cut.positions);
          for (const { rejected } of [cut, bytes]) {
            expect(rejected.map(({ reason }) => reason)).toEqual(whole.rejected.map(({ reason }) => reason));
          }
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

  test("of an unreadable file are an error that names the file", async () => {
    const context: PartContext = {
      flow: "test",
      step: "in",
      logger: SILENT_LOGGER,
      time: SYSTEM_TIME,
      signal: new AbortController().signal,
      reject: () => undefined,
      fail: () => undefined,
    };
    await expect(
      new JsonlFileSource("x").buildPart(join(folder, "absent"), undefined, context),
    ).rejects.toMatchObject({
      code: "MILLRACE_SOURCE_FAILED",
      message: expect.stringContaining("absent"),
    });
  });
});

/** Little-endian. */
function utf32(text: string): Buffer {
  return Buffer.concat(
    Array.from(text, (character) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(character.codePointAt(0) ?? 0);
      return bytes;
    }),
  );
}

describe("a file by its content", () => {
  const text = "one\n\u00e9\nthree";

  test("with a UTF-8 byte-order mark begins after it, and resumes exactly", async () => {
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]);
    expect((await readFile(marked)).lines).toEqual(["one", "\u00e9", "three"]);
    expect((await readFile(marked, { chunkBytes: 1 })).positions).toEqual([7, 10, 15]);
    expect((await readFile(marked, {}, 7)).lines).toEqual(["\u00e9", "three"]);
  });

  test("that is compressed with gzip is decompressed under any name, and resumes exactly", async () => {
    const zipped = Buffer.concat([gzipSync("one\n\u00e9\n"), gzipSync("three")]);
    const { lines, positions } = await readFile(zipped);
    expect(lines).toEqual(["one", "\u00e9", "three"]);
    expect(positions.at(-1)).toBe(12);
    expect((await readFile(zipped, {}, 4)).lines).toEqual(["\u00e9", "three"]);
    const marked = gzipSync(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from("a\n")]));
    expect((await readFile(marked)).lines).toEqual(["a"]);
  });

  test("that is compressed and truncated is an error", async () => {
    await expect(readFile(gzipSync("x".repeat(10_000)).subarray(0, 20))).rejects.toThrow(
      "unexpected end of file",
    );
  });

  test.each([
    ["UTF-16", Buffer.from("\ufeff{}\n", "utf16le")],
    ["UTF-16", Buffer.from("\ufeff{}\n", "utf16le").swap16()],
    ["UTF-16LE", Buffer.from("{}\n", "utf16le")],
    ["UTF-16BE", Buffer.from("{}\n", "utf16le").swap16()],
    ["UTF-16LE", Buffer.from("a", "utf16le")],
    ["UTF-32", utf32("\ufeff{}\n")],
    ["UTF-32", utf32("\ufeff{}\n").swap32()],
    ["UTF-32LE", utf32("{}\n")],
    ["UTF-32BE", utf32("{}\n").swap32()],
  ])("that is %s is refused with a remedy", async (encoding, content) => {
    await expect(readFile(content)).rejects.toMatchObject({
      code: "MILLRACE_SOURCE_FAILED",
      message: expect.stringMatching(new RegExp(`it is ${encoding}, .* iconv -f ${encoding} -t UTF-8$`)),
    });
  });

  test.each([
    ["bzip2", "425a68393141592653", "bzip2 -dc", "5919bd2e21"],
    ["bzip2", "425a683917724538", "bzip2 -dc", "509000000000"],
    ["xz", "fd377a585a0000", "xz -dc", "04e6d6b446"],
    ["zip", "504b0304", "unzip -p", "1400"],
    ["lz4", "04224d18", "lz4 -dc", "6440a7"],
    ["lzip", "4c5a495001", "lzip -dc", "0c00"],
    ["compress", "1f9d", "uncompress -c", "9061"],
    ["7-zip", "377abcaf271c", "7z x -so", "0004"],
  ])("that is compressed with %s is refused with a remedy", async (form, head, remedy, rest) => {
    const refused = expect(readFile(Buffer.from(head + rest, "hex"))).rejects;
    await refused.toThrow(
      new RegExp(`compressed with ${form}, .* decompress it first, for example with ${remedy}$`),
    );
  });

  test.each(["P", "PK", "BZh", "LZIP", "7", "a", "BZh9 is no archive"])(
    "that is only %j is text",
    async (line) => {
      expect((await readFile(Buffer.from(line))).lines).toEqual([line]);
    },
  );

  test("that is compressed with zstd is read if Node can, and refused with a remedy otherwise", async () => {
    // "a\n" in one frame, with its checksum.
    const zstd = Buffer.from("28b52ffd2402110000610a55c8cc1e", "hex");
    if ("createZstdDecompress" in zlib) expect((await readFile(zstd)).lines).toEqual(["a"]);
    else await expect(readFile(zstd)).rejects.toThrow("zstd -d");
  });
});

describe("a path that is not a regular file", () => {
  async function overPipe(
    content: Uint8Array,
  ): Promise<{ readonly rows: unknown; readonly source: JsonlFileSource }> {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const source = new JsonlFileSource(path);
    const out = new TestingSink<RawLine>();
    const flow = new Dataflow("piped");
    flow.input("in", source).output("out", out);
    const running = run(flow);
    await writeFile(path, content);
    await running;
    return { rows: out.rows, source };
  }

  test.each([
    ["plain", Buffer.from("one\ntwo\n")],
    ["with a mark", Buffer.from("\ufeffone\ntwo\n")],
    ["compressed", gzipSync("one\ntwo\n")],
  ])("is read as a stream, once: %s", async (_, content) => {
    const { rows, source } = await overPipe(content);
    expect(rows).toEqual(["one", "two"]);
    const flow = new Dataflow("again");
    flow.input("in", source).output("out", new TestingSink<RawLine>());
    await expect(run(flow)).rejects.toMatchObject({
      code: "MILLRACE_SOURCE_FAILED",
      message: expect.stringContaining("only once"),
    });
  });
});

test("a byte-order mark is found byte by byte, and does not delay a short line", async () => {
  const [mark, short] = [new PassThrough(), new PassThrough()];
  const texts = [new TextStream(mark), new TextStream(short)];
  short.write("1");
  expect(String(await texts[1]?.next())).toBe("1");
  for (const byte of Buffer.from("\ufeffa")) mark.write(Buffer.of(byte));
  expect(String(await texts[0]?.next())).toBe("a");
});
