import { join } from "node:path";
import { runProgram } from "@millrace/cli";
import { mutantsConfig } from "./config.ts";
import { MutantsFailure } from "./mutants-failure.ts";
import { MUTANTS } from "./mutants.ts";
import { runMutants } from "./run-mutants.ts";
import type { Verdict } from "./run-mutants.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Many times the duration of the slowest tests. */
const LIMIT_MS = 120_000;

/** Runs the mutants, prints a line for each, and fails if one survives. */
await runProgram("mutants", mutantsConfig, async ({ config, signal }) => {
  const { only, jobs } = config;
  const mutants = MUTANTS.filter(({ id }) => only?.includes(id) ?? true);
  const verdicts = await runMutants({
    root: ROOT,
    mutants,
    parallel: jobs,
    limitMs: LIMIT_MS,
    signal,
    onVerdict: (verdict) => {
      process.stdout.write(`${lineOf(verdict)}\n`);
    },
  });
  const of = (fate: Verdict["fate"]): readonly Verdict[] => verdicts.filter((each) => each.fate === fate);
  const survivors = of("survived");
  process.stdout.write(
    `${of("killed").length} killed, ${of("timed-out").length} timed out, ${survivors.length} survived\n`,
  );
  if (survivors.length > 0) {
    const ids = survivors.map(({ mutant }) => mutant.id).join(",");
    throw new MutantsFailure(`Not killed: ${ids}. Write the missing test; --only=${ids} runs only these.`);
  }
});

function lineOf({ mutant: { id, guard }, fate, how }: Verdict): string {
  switch (fate) {
    case "killed":
      return `killed     ${id}, by: ${how}`;
    case "timed-out":
      return `TIMED OUT  ${id}: ${how}`;
    case "survived":
      return `SURVIVED   ${id}: ${how}; ${guard}`;
  }
}
