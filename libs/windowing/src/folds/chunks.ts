import { listFrom } from "../fields.ts";
import type { FoldPart } from "../fold.ts";
import { jsonBytes, type Json } from "../json.ts";

/** Bytes of JSON in one part of an accumulator, unless a single element is larger. */
const CHUNK_BYTES = 32 * 1_024;

/** Divides new elements into chunks, numbered from `first`, each small enough for one value of a store. */
export function toChunks(elements: Iterable<Json>, first: number): FoldPart[] {
  const parts: FoldPart[] = [];
  let chunk: Json[] = [];
  let bytes = 0;
  const end = (): void => {
    parts.push([String(first + parts.length), chunk]);
    chunk = [];
    bytes = 0;
  };
  for (const element of elements) {
    const size = jsonBytes(element);
    if (chunk.length > 0 && bytes + size > CHUNK_BYTES) end();
    chunk.push(element);
    bytes += size;
  }
  if (chunk.length > 0) end();
  return parts;
}

/** The content of chunks: the elements in order, and the range of numbers. */
export interface Chunks {
  readonly elements: readonly Json[];
  readonly first: number;
  /** The number after the last. */
  readonly next: number;
}

/** Joins chunks that arrive in any order. @throws WindowStateError */
export function fromChunks(parts: readonly FoldPart[]): Chunks {
  const numbered = parts.map(([id, chunk]) => [Number(id), listFrom(chunk)] as const);
  numbered.sort(([a], [b]) => a - b);
  return {
    elements: numbered.flatMap(([, chunk]) => chunk),
    first: numbered[0]?.[0] ?? 0,
    next: (numbered.at(-1)?.[0] ?? -1) + 1,
  };
}
