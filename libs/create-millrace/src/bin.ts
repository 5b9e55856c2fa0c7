#!/usr/bin/env node
import { createInterface } from "node:readline/promises";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { createProject } from "./create-project.ts";

const USAGE = `Usage: npm create millrace@latest [folder]

Creates a project in a new folder: a flow over JSON of your own, a test of it under
a virtual clock, a compose file with a Redis, and a README. It installs nothing.

  folder      where the project goes, and its name; asked for if it is missing
  -h, --help  show this help

Example:
  npm create millrace@latest my-flow
`;
const DEFAULT_FOLDER = "my-flow";

// No await on the top level, so that the file can be required, too.
void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});

/** @returns the exit code: 0 created, 1 the folder is not empty or cannot be written, 2 wrong arguments */
async function main(args: readonly string[]): Promise<number> {
  let folder: string | undefined;
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h" } },
    });
    if (values.help === true) {
      process.stdout.write(USAGE);
      return 0;
    }
    if (positionals.length > 1) throw new TypeError(`one folder is expected, not ${positionals.join(" ")}`);
    folder = positionals[0] ?? (await askForFolder());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  try {
    const project = await createProject(folder);
    process.stdout.write(nextSteps(relative(process.cwd(), project.folder)));
    return 0;
  } catch (error) {
    // Others are of the file system, such as a folder that may not be written.
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** @throws TypeError if there is no person to ask */
async function askForFolder(): Promise<string> {
  if (!process.stdin.isTTY)
    throw new TypeError("the folder is missing, and there is no terminal to ask for it");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Folder of the project (${DEFAULT_FOLDER}): `);
  terminal.close();
  return answer.trim() || DEFAULT_FOLDER;
}

function nextSteps(folder: string): string {
  const cd = folder === "" ? "" : `  cd ${folder}\n`;
  return `Created ${folder === "" ? "the project" : folder}. Next:

${cd}  npm install
  npm start    # runs the flow over orders.jsonl
  npm test     # tests it under a virtual clock

README.md says how to run it over Redis.
`;
}
