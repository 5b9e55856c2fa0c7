/** A change of one source file that a test must detect. Paths are relative to the workspace's root. */
export interface Mutant {
  readonly id: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly search: string;
  readonly replace: string;
  /** Test files of which at least one must fail. */
  readonly tests: readonly string[];
  /** What the guard prevents. */
  readonly guard: string;
}

/** Applies the mutant's change to the file's text. @throws RangeError unless the text to change occurs exactly once */
export function mutate(text: string, { id, file, search, replace }: Mutant): string {
  const parts = text.split(search);
  const [before, after] = parts;
  if (before === undefined || after === undefined || parts.length > 2) {
    throw new RangeError(
      `mutant ${id}: its text occurs ${parts.length - 1} times in ${file}, not once; update the list of mutants`,
    );
  }
  return before + replace + after;
}

/** Groups test files by project: `libs/windowing` has `libs/windowing/test/clock.test.ts`. */
export function byProject(tests: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const projects = new Map<string, string[]>();
  for (const test of new Set(tests)) {
    const project = test.split("/").slice(0, 2).join("/");
    const files = projects.get(project) ?? [];
    projects.set(project, files);
    files.push(test);
  }
  return projects;
}
