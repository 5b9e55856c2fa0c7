import type { RawLine } from "@millrace/dataflow";

/** A UUID whose last twelve digits are to be filled in. */
const ID_START = "00000000-0000-4000-8000-";
const ID_DIGITS = 12;
const HEX = Buffer.from("0123456789abcdef");
/** Lines of bytes share memory: one allocation for each would take longer than the line. */
const BLOCK_BYTES = 65_536;

/** What is generated. */
export interface GeneratorOptions {
  /** How many events; may be Infinity. */
  readonly count: number;
  /** The field that holds the id, a text. */
  readonly idField: string;
  /** What lines are made of. */
  readonly as: "text" | "bytes";
}

/**
 * Generates events: repeats the given lines in turn, each time with a new id. Deterministic: the same lines give
 * the same events.
 *
 * @throws RangeError for a line without an id, or if there are no lines
 */
export function generatedLines(
  lines: readonly string[],
  { count, idField, as }: GeneratorOptions,
): Iterable<RawLine> {
  const id = new RegExp(`${JSON.stringify(idField)}\\s*:\\s*"([^"\\\\]*)"`, "d");
  const patterns = lines.map((line) => patternOf(line, id, idField));
  if (patterns.length === 0) throw new RangeError("there is no line to generate events from");
  return as === "text" ? textFrom(patterns, count) : bytesFrom(patterns, count);
}

/** The parts of a line before and after its id. */
type Pattern = readonly [before: string, after: string];

function* textFrom(patterns: readonly Pattern[], count: number): Generator<string, void> {
  for (let number = 0; ;) {
    for (const [before, after] of patterns) {
      if (number === count) return;
      yield before + ID_START + number.toString(16).padStart(ID_DIGITS, "0") + after;
      number += 1;
    }
  }
}

function* bytesFrom(patterns: readonly Pattern[], count: number): Generator<Uint8Array, void> {
  const models = patterns.map(([before, after]) => {
    const upToId = before + ID_START + "0".repeat(ID_DIGITS);
    return { bytes: Buffer.from(upToId + after), idEnd: Buffer.byteLength(upToId) };
  });
  let block = Buffer.alloc(0);
  let used = 0;
  for (let number = 0; ;) {
    for (const { bytes, idEnd } of models) {
      if (number === count) return;
      if (used + bytes.length > block.length) {
        block = Buffer.allocUnsafe(Math.max(BLOCK_BYTES, bytes.length));
        used = 0;
      }
      block.set(bytes, used);
      writeHex(block, used + idEnd, number);
      const end = used + bytes.length;
      yield block.subarray(used, end);
      used = end;
      number += 1;
    }
  }
}

/** Writes the digits of a number over the zeros before `end`. */
function writeHex(bytes: Uint8Array, end: number, number: number): void {
  let at = end;
  for (let rest = number; rest > 0; rest = Math.floor(rest / 16)) {
    at -= 1;
    bytes[at] = HEX[rest % 16] ?? 0;
  }
}

function patternOf(line: string, id: RegExp, idField: string): Pattern {
  const [from, to] = id.exec(line)?.indices?.[1] ?? [];
  if (from === undefined) {
    throw new RangeError(`cannot generate events from a line without a ${idField}: ${line.slice(0, 80)}`);
  }
  return [line.slice(0, from), line.slice(to)];
}
