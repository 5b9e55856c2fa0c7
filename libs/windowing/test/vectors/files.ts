import { join } from "node:path";

import { PER_KEY_SCENARIOS } from "./per-key-scenarios.ts";
import { perKeyVector } from "./per-key-vectors.ts";
import { STREAM_SCENARIOS } from "./stream-scenarios.ts";
import { streamVector } from "./stream-vectors.ts";

/** A file of vectors in this repository, and what the oracles make of it. */
export interface VectorFile {
  readonly name: string;
  readonly path: string;
  readonly text: () => string;
}

const FOLDER = join(import.meta.dirname, "../../conformance");

export const VECTOR_FILES: readonly VectorFile[] = [
  fileOf("stream-vectors.json", () => STREAM_SCENARIOS.map(streamVector)),
  fileOf("per-key-vectors.json", () => PER_KEY_SCENARIOS.map(perKeyVector)),
];

/** One vector a line, so that a change is seen by its vectors. */
function fileOf(name: string, vectors: () => readonly unknown[]): VectorFile {
  const text = (): string =>
    `[\n${vectors()
      .map((vector) => JSON.stringify(vector))
      .join(",\n")}\n]\n`;
  return { name, path: join(FOLDER, name), text };
}
