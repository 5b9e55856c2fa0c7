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
import { countLines } from "./count-lines.ts";
import { STDIN } from "./events-file.ts";
import { generatedLines } from "./generated-lines.ts";
import { PacedSource } from "./paced-source.ts";
import { RepeatingSource } from "./repeating-source.ts";

/** Large, since at the end of each batch the sink waits for all of Redis' replies. */
const BATCH_LINES = 4_096;
const CHUNK_BYTES = 1_048_576;

/** The source, and how many lines it has; `undefined` if unknown. */
export interface Input {
  readonly source: Source<RawLine>;
  readonly total: number | undefined;
}

/** Builds the source that the configuration asks for. @throws SourceError for a file from which no events can be generated */
export async function inputOf(config: PublishConfig): Promise<Input> {
  const { source, total } = await unpaced(config);
  const { rate } = config;
  return { source: rate === undefined ? source : new PacedSource(source, rate), total };
}

async function unpaced({ file, loop, generate }: PublishConfig): Promise<Input> {
  if (generate !== undefined) {
    const { events, idField } = generate;
    const total = Number.isFinite(events) ? events : undefined;
    return {
      source: new IterableSource(await generated(file, events, idField), { batchSize: BATCH_LINES }),
      total,
    };
  }
  if (file === STDIN) return { source: new StdinSource(), total: undefined };
  const once = new JsonlFileSource(file, { chunkBytes: CHUNK_BYTES });
  return loop
    ? { source: new RepeatingSource(once), total: undefined }
    : { source: once, total: await countLines(file) };
}

async function generated(file: string, events: number, idField: string): Promise<Iterable<RawLine>> {
  try {
    const text = new TextStream(createReadStream(file));
    const pieces: Buffer[] = [];
    for (let piece = await text.next(); piece !== undefined; piece = await text.next()) pieces.push(piece);
    const lines = Buffer.concat(pieces)
      .toString()
      .split("\n")
      .filter((line) => line.trim() !== "");
    return generatedLines(lines, events, idField);
  } catch (cause) {
    throw new SourceError(`cannot generate events from ${file}: ${messageOf(cause)}`, { cause });
  }
}
