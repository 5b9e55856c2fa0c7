import { execFile } from "node:child_process";

/** How Node shows a place above an error: file and line, the line itself, and a mark below it. */
const SHOWN = /^(?:file:\/\/)?(\/.+|[A-Za-z]:.+):(\d+)\r?\n.*\n([ \t]*)\^/;
/** How the compiler of TypeScript that `tsx` uses says it. */
const COMPILED = /^(.+:\d+:\d+): ERROR: (.+)$/m;
const PARSE_TIMEOUT_MS = 10_000;

/** Parses a module and those that it imports by relative paths, and runs none of them. */
const PARSE = `
const { readFileSync } = require("node:fs");
const { dirname, resolve } = require("node:path");
const { SourceTextModule } = require("node:vm");
const seen = new Set();
(function parse(path) {
  if (seen.has(path)) return;
  seen.add(path);
  const { dependencySpecifiers } = new SourceTextModule(readFileSync(path, "utf8"), { identifier: path });
  for (const name of dependencySpecifiers) if (/^\\.\\.?\\//.test(name)) parse(resolve(dirname(path), name));
})(process.argv[1]);
`;

/** A place in a file that cannot be parsed, and what is wrong there. */
export interface SyntaxErrorPlace {
  readonly message: string;
  /** `file:line:column` */
  readonly place: string;
}

/**
 * Where the file is wrong whose import failed. Node keeps that of an ES module to itself, and says it only of a program
 * that ends by it: so there another Node parses the file.
 *
 * @param path of the file that was imported
 * @returns `undefined` for another error, or where it cannot be found
 */
export async function syntaxErrorPlace(error: unknown, path: string): Promise<SyntaxErrorPlace | undefined> {
  if (!(error instanceof Error)) return undefined;
  const [, compiled, reason] = COMPILED.exec(error.message) ?? [];
  if (compiled !== undefined && reason !== undefined) return { message: reason, place: compiled };
  if (error.name !== "SyntaxError") return undefined;
  const place = shownIn(error.stack ?? "") ?? shownIn(await complaintsAbout(path));
  return place === undefined ? undefined : { message: error.message, place };
}

function shownIn(text: string): string | undefined {
  const [, file, line, indent] = SHOWN.exec(text) ?? [];
  return file === undefined || line === undefined || indent === undefined
    ? undefined
    : `${file}:${line}:${indent.length + 1}`;
}

/** What Node prints of the file when it cannot parse it. */
function complaintsAbout(path: string): Promise<string> {
  const args = ["--no-warnings", "--experimental-vm-modules", "--eval", PARSE, path];
  const env = { ...process.env, NODE_OPTIONS: "" };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: PARSE_TIMEOUT_MS }, (_error, _stdout, stderr) => {
      resolve(stderr);
    });
  });
}
