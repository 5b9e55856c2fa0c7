import { dirname } from "node:path";
import ts from "typescript";

/** Files that a compilation checks: all of them, or only those of the project and of the packages under test. */
export type CheckedFiles = "all" | "ours";

/**
 * Compiles a project as `tsc -p` does, and returns what the compiler reports, as text. TypeScript's own declarations are not
 * checked. Those of other packages are expensive to check, so only one compilation has to do it.
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
    .filter(({ fileName }) => checked === "all" || isOurs(fileName, ours));
  const problems = [
    ...parsed.errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
    ...program.emit().diagnostics,
  ];
  return ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => dirname(config),
    getNewLine: () => "\n",
  });
}

/** Whether a file is outside of `node_modules`, or in one of the packages. */
function isOurs(fileName: string, ours: ReadonlySet<string>): boolean {
  const [, inPackages] = /^.*\/node_modules\/(.*)$/.exec(fileName) ?? [];
  if (inPackages === undefined) return true;
  const [first = "", second = ""] = inPackages.split("/");
  return ours.has(first.startsWith("@") ? `${first}/${second}` : first);
}
