import { createReadStream } from "node:fs";
import {
  IterableSource,
  JsonlFileSource,
  SourceError,
  StdinSource,
  TextStream,
  messageOf,
} from "@millrace/dataflow";
import type { RawLine, Source } from "@millrace/dataflow";
import type { PublishConfig } from "./config.ts";
import { STDIN } from "./events-file.ts";
import { extentOf } from "./extent.ts";
import type { Extent } from "./extent.ts";
import { generatedLines } from "./generated-lines.ts";
import type { GeneratorOptions } from "./generated-lines.ts";
import { PacedSource } from "./paced-source.ts";
import { RepeatingSource } from "./repeating-source.ts";

/** Large, since at the end of each batch the sink waits for all of Redis' replies. */
const BATCH_LINES = 4_096;
const CHUNK_BYTES = 1_048_576;
const LEAST_BATCH_OF_BYTES = 8;

/** The source, and how much it has; `undefined` if unknown. */
export interface Input {
  readonly source: Source<RawLine>;
  readonly extent: Extent | undefined;
}

/** Builds the source that the configuration asks for. @throws SourceError for a file from which no events can be generated */
export async function inputOf(config: PublishConfig): Promise<Input> {
  const { source, extent } = await unpaced(config);
  const { rate } = config;
  return { source: rate === undefined ? source : new PacedSource(source, rate), extent };
}

async function unpaced(config: PublishConfig): Promise<Input> {
  const { file, loop, generate } = config;
  const as = formOf(config);
  if (generate !== undefined) {
    const { events, idField } = generate;
    const lines = await generated(file, { count: events, idField, as });
    return {
      source: new IterableSource(lines, { batchSize: BATCH_LINES }),
      extent: Number.isFinite(events) ? { total: events, unit: "lines" } : undefined,
    };
  }
  if (file === STDIN) return { source: new StdinSource({ as }), extent: undefined };
  const once = new JsonlFileSource(file, { chunkBytes: CHUNK_BYTES, as });
  return loop
    ? { source: new RepeatingSource(once), extent: undefined }
    : { source: once, extent: await extentOf(file) };
}

/**
 * Lines that go into frames unread can stay bytes. A key is read from text; and small messages, such as bare lines, are
 * sent faster as text.
 */
function formOf({ transport, delivery }: PublishConfig): "text" | "bytes" {
  const { batch = 1 } = delivery.framing ?? {};
  return batch >= LEAST_BATCH_OF_BYTES && transport.partitions === 1 ? "bytes" : "text";
}

async function generated(file: string, options: GeneratorOptions): Promise<Iterable<RawLine>> {
  try {
    const text = new TextStream(createReadStream(file));
    const pieces: Buffer[] = [];
    for (let piece = await text.next(); piece !== undefined; piece = await text.next()) pieces.push(piece);
    const lines = Buffer.concat(pieces)
      .toString()
      .split("\n")
      .filter((line) => line.trim() !== "");
    return generatedLines(lines, options);
  } catch (cause) {
    throw new SourceError(`cannot generate events from ${file}: ${messageOf(cause)}`, { cause });
  }
}
