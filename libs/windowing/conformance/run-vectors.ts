import type { Difference } from "./comparison.ts";
import { Fields, MalformedVectorsError } from "./fields.ts";
import { runPipeline } from "./pipeline.ts";
import { runStream } from "./stream.ts";
import { runClock, runReject, runSessionMerge, runSessionUnit, runWindowIds } from "./units.ts";

/** What became of one vector. */
export interface Verdict {
  readonly id: string;
  readonly status: "passed" | "failed" | "skipped";
  /** How it differs, or why it was skipped. */
  readonly reason?: string;
}

const RUNNERS: Readonly<Record<string, (vector: Fields) => Difference>> = {
  pipeline: runPipeline,
  stream: runStream,
  clock: runClock,
  window_ids: runWindowIds,
  session_unit: runSessionUnit,
  session_merge: runSessionMerge,
  reject: runReject,
};

/** Kinds that the form of the vectors calls optional, and why this runner leaves them out. */
const SKIPPED: Readonly<Record<string, string>> = {
  operator: "not a window: operators of a dataflow are beyond this library",
};

/** The vectors of a parsed file. @throws MalformedVectorsError */
export function vectorsOf(json: unknown): readonly Fields[] {
  const list = Array.isArray(json) ? { vectors: json as readonly unknown[] } : json;
  const vectors = new Fields(list, "file").objects("vectors");
  for (const vector of vectors) {
    const kind = vector.text("kind");
    if (RUNNERS[kind] === undefined && SKIPPED[kind] === undefined) {
      throw new MalformedVectorsError(`Vector ${vector.text("id")} is of the unknown kind ${kind}.`);
    }
  }
  return vectors;
}

/** Runs one vector. @throws MalformedVectorsError */
export function runVector(vector: Fields): Verdict {
  const id = vector.text("id");
  const kind = vector.text("kind");
  const why = SKIPPED[kind];
  if (why !== undefined) return { id, status: "skipped", reason: why };
  try {
    const difference = RUNNERS[kind]?.(vector);
    return difference === undefined ? { id, status: "passed" } : { id, status: "failed", reason: difference };
  } catch (error) {
    if (error instanceof MalformedVectorsError) throw error;
    return { id, status: "failed", reason: `threw ${String(error)}` };
  }
}

/** The last line of a run. */
export function summaryOf(verdicts: readonly Verdict[]): string {
  const number = (wanted: Verdict["status"]): string =>
    String(verdicts.filter(({ status }) => status === wanted).length);
  return `${number("passed")} passed, ${number("failed")} failed, ${number("skipped")} skipped`;
}
