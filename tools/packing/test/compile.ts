import { dirname } from "node:path";
import ts from "typescript";

/** Files that a compilation checks: all of them, or only those of the project and of the packages under test. */
export type CheckedFiles = "all" | "ours";

/** Its declarations import no other package, and take two thirds of the time of a compilation that checks them. */
const EXPENSIVE = "typebox";

/**
 * Compiles a project as `tsc -p` does, and returns what the compiler reports, as text. TypeScript's own declarations are not
 * checked, nor those of typebox. Those of other packages are expensive to check, so only one compilation has to do it.
 *
 * @param config path of its tsconfig.json
 * @param ours names of the packages under test
 */
export function compile(config: string, checked: CheckedFiles, ours: ReadonlySet<string>): string {
  const host: ts.ParseConfigFileHost = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(`${config}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
    },
  };
  const parsed = ts.getParsedCommandLineOfConfigFile(config, undefined, host);
  if (parsed === undefined) throw new Error(`${config} cannot be read`);
  const program = ts.createProgram(parsed.fileNames, parsed.options);
  const files = program
    .getSourceFiles()
    .filter((file) => !program.isSourceFileDefaultLibrary(file))
    .filter(({ fileName }) => {
      const name = packageOf(fileName);
      return name === undefined || (checked === "all" ? name !== EXPENSIVE : ours.has(name));
    });
  const problems = [
    ...parsed.errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
    // File by file: emitting all at once checks every file first, those that are left out here too.
    ...files.flatMap((file) => program.emit(file).diagnostics),
  ];
  return ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => dirname(config),
    getNewLine: () => "\n",
  });
}

/** The package in `node_modules` that has a file; `undefined`: it is outside. */
function packageOf(fileName: string): string | undefined {
  const [, inPackages] = /^.*\/node_modules\/(.*)$/.exec(fileName) ?? [];
  if (inPackages === undefined) return undefined;
  const [first = "", second = ""] = inPackages.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}
