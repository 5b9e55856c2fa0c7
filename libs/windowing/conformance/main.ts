import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { MalformedVectorsError } from "./fields.ts";
import { runVector, summaryOf, vectorsOf } from "./run-vectors.ts";

const MALFORMED = 2;

/** Runs the vectors of a file; exit code 0 = none failed, 1 = some did, 2 = the file cannot be read as vectors. */
function main(): number {
  try {
    const { values } = parseArgs({ options: { vectors: { type: "string" } } });
    if (values.vectors === undefined) throw new MalformedVectorsError("Say which file: --vectors=FILE.");
    const verdicts = vectorsOf(JSON.parse(readFileSync(values.vectors, "utf8"))).map(runVector);
    for (const { id, status, reason = "" } of verdicts) {
      if (status === "failed") console.log(`FAILED ${id}: ${reason}`);
    }
    for (const why of new Set(
      verdicts.filter(({ status }) => status === "skipped").map(({ reason }) => reason),
    )) {
      console.log(`skipped: ${why ?? ""}`);
    }
    console.log(summaryOf(verdicts));
    return verdicts.some(({ status }) => status === "failed") ? 1 : 0;
  } catch (error) {
    console.error(`conformance: ${error instanceof Error ? error.message : String(error)}`);
    return MALFORMED;
  }
}

process.exitCode = main();
