import { MutantsFailure } from "./mutants-failure.ts";
import type { Mutant } from "./mutant.ts";
import { runTests } from "./run-tests.ts";
import type { TestOutcome } from "./run-tests.ts";
import { WorkspaceCopy } from "./workspace-copy.ts";

/** Options of {@link runMutants}. */
export interface MutantsPlan {
  /** Root of the workspace; it is not changed. */
  readonly root: string;
  readonly mutants: readonly Mutant[];
  /** How many run at the same time. */
  readonly parallel: number;
  /** How long (ms) the tests of one project may take; a mutant with which they take longer counts as detected. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** Called for each mutant as soon as its verdict is known. */
  readonly onVerdict: (verdict: Verdict) => void;
}

/** The result of a mutant. */
export interface Verdict {
  readonly mutant: Mutant;
  /** `killed`: a test failed; `timed-out`: no test failed, but one or all took too long, which counts as detected. */
  readonly fate: "killed" | "timed-out" | "survived";
  /** The test that failed, or what else happened. */
  readonly how: string;
}

/**
 * Runs each mutant's tests with its change in place.
 *
 * @returns the verdicts, in order of completion
 * @throws MutantsFailure if tests fail without any mutant; the signal's reason
 */
export async function runMutants(plan: MutantsPlan): Promise<readonly Verdict[]> {
  const { root, mutants, parallel, onVerdict } = plan;
  const verdicts: Verdict[] = [];
  const left = mutants.values();
  const work = async (copy: WorkspaceCopy): Promise<void> => {
    for (const mutant of left) {
      const verdict = await judge(mutant, copy, plan);
      verdicts.push(verdict);
      onVerdict(verdict);
    }
  };
  const copies: WorkspaceCopy[] = [];
  try {
    while (copies.length < Math.min(parallel, mutants.length)) copies.push(await WorkspaceCopy.make(root));
    const [first] = copies;
    if (first !== undefined) await requireGreen(first, plan);
    await Promise.all(copies.map(work));
  } finally {
    await Promise.all(copies.map((copy) => copy.remove()));
  }
  return verdicts;
}

/** Much longer than a project's tests take. */
const GREEN_LIMIT_MS = 900_000;

/** Runs the tests without a mutant: a test that fails anyway detects nothing. */
async function requireGreen({ path }: WorkspaceCopy, { mutants, signal }: MutantsPlan): Promise<void> {
  const tests = mutants.flatMap((mutant) => mutant.tests);
  const outcome = await runTests({ root: path, tests, limitMs: GREEN_LIMIT_MS, signal });
  if (outcome.kind === "passed") return;
  throw new MutantsFailure(`The tests fail without any mutant: ${describe(outcome)}. Fix them first.`);
}

async function judge(
  mutant: Mutant,
  copy: WorkspaceCopy,
  { limitMs, signal }: MutantsPlan,
): Promise<Verdict> {
  try {
    const outcome = await copy.withMutant(mutant, () =>
      runTests({ root: copy.path, tests: mutant.tests, limitMs, signal }),
    );
    return { mutant, fate: fateBy(outcome), how: describe(outcome) };
  } catch (error) {
    if (error instanceof RangeError) return { mutant, fate: "survived", how: error.message };
    throw error;
  }
}

function fateBy({ kind }: TestOutcome): Verdict["fate"] {
  switch (kind) {
    case "failed":
    case "crashed":
      return "killed";
    case "timed-out":
      return "timed-out";
    case "passed":
    case "broken":
      return "survived";
  }
}

function describe(outcome: TestOutcome): string {
  switch (outcome.kind) {
    case "passed":
      return "no test detects it";
    case "failed":
      return outcome.test;
    case "timed-out":
      return outcome.test === undefined ? "the tests do not end" : `${outcome.test} does not end`;
    case "crashed":
      return `the tests' process died: ${outcome.why}`;
    case "broken":
      return `the tests do not run: ${outcome.why}`;
  }
}
