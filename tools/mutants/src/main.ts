import { join } from "node:path";
import { runProgram } from "@millrace/cli";
import { mutantsConfig } from "./config.ts";
import { MutantsFailure } from "./mutants-failure.ts";
import { MUTANTS } from "./mutants.ts";
import { runMutants } from "./run-mutants.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Many times what the slowest of the tests take. */
const LIMIT_MS = 120_000;

/** Tries the mutants, prints a line for each, and fails if one survives. */
await runProgram("mutants", mutantsConfig, async ({ config, signal }) => {
  const { only, jobs } = config;
  const mutants = MUTANTS.filter(({ id }) => only?.includes(id) ?? true);
  const verdicts = await runMutants({
    root: ROOT,
    mutants,
    parallel: jobs,
    limitMs: LIMIT_MS,
    signal,
    onVerdict: ({ mutant, killed, how }) => {
      const line = killed
        ? `killed    ${mutant.id}, by: ${how}`
        : `SURVIVED  ${mutant.id}: ${how}; ${mutant.guard}`;
      process.stdout.write(`${line}\n`);
    },
  });
  const failed = verdicts.filter(({ killed }) => !killed);
  process.stdout.write(`${verdicts.length - failed.length} passed, ${failed.length} failed\n`);
  if (failed.length > 0) {
    const ids = failed.map(({ mutant }) => mutant.id).join(",");
    throw new MutantsFailure(
      `Not killed: ${ids}. Write the test that is missing; --only=${ids} tries these alone.`,
    );
  }
});
