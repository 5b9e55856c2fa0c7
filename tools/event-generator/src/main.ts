import { clickCodec } from "@millrace/event-schema";
import { Command, InvalidArgumentError } from "commander";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DEFAULT_GENERATOR_OPTIONS, generateClicks } from "./generate-clicks.ts";

interface Arguments {
  readonly events: number;
  readonly seed: number;
  readonly out: string;
}

/** Lines in one write: a system call for each line would be most of the work. */
const LINES_PER_CHUNK = 500;

const command = new Command("event-generator")
  .description("Writes synthetic click events, one JSON object a line; the same seed gives the same bytes.")
  .option("--events <n>", "number of events", wholeNumber, DEFAULT_GENERATOR_OPTIONS.events)
  .option("--seed <n>", "seed of the random numbers", wholeNumber, DEFAULT_GENERATOR_OPTIONS.seed)
  .option("--out <file>", "output file, or - for stdout", "data/events.jsonl")
  .action(generate);

try {
  await command.parseAsync();
} catch (error) {
  if (!(error instanceof Error) || !("code" in error)) throw error;
  // The reader of a pipe may close it early.
  if (error.code !== "EPIPE") command.error(`error: ${error.message}`);
}

async function generate({ events, seed, out }: Arguments): Promise<void> {
  const toStdout = out === "-";
  const sink = toStdout ? process.stdout : createWriteStream(out);
  await pipeline(Readable.from(chunks(events, seed)), sink, { end: !toStdout });
  if (!toStdout) console.error(`wrote ${events} events to ${out}`);
}

function* chunks(events: number, seed: number): Generator<string, void> {
  let lines: string[] = [];
  for (const click of generateClicks({ events, seed })) {
    lines.push(`${clickCodec.encode(click)}\n`);
    if (lines.length === LINES_PER_CHUNK) {
      yield lines.join("");
      lines = [];
    }
  }
  if (lines.length > 0) yield lines.join("");
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError("Give a whole number, 0 or more.");
  }
  return value;
}
