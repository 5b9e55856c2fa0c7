import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { messageOf, thrownAt } from "@millrace/dataflow/options";
import { FlowModuleError } from "./flow-module-error.ts";
import { syntaxErrorPlace } from "./syntax-error-place.ts";

/** What a flow module exports, unchecked. */
export interface FlowModule {
  readonly default?: unknown;
  readonly flow?: unknown;
  readonly options?: unknown;
}

/** Why Node cannot run a file of TypeScript: not at all, or not this syntax, such as an enum. */
const NEEDS_TSX = new Set(["ERR_UNKNOWN_FILE_EXTENSION", "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"]);
const TYPESCRIPT = /\.[cm]?tsx?$/;

/** What to do about the most common reasons why Node cannot import a file, by the code of its error. */
const REMEDIES: Readonly<Record<string, string>> = {
  ERR_UNKNOWN_FILE_EXTENSION: `Node ${process.versions.node} does not run TypeScript: use Node 22.18 or newer, install tsx in the project (npm install --save-dev tsx), or compile the flow to JavaScript.`,
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    "Node only removes types, so that enums and the like need a compiler: install tsx in the project (npm install --save-dev tsx), or compile the flow to JavaScript.",
  ERR_MODULE_NOT_FOUND: "Imports are resolved from the module's own folder: keep it inside the project.",
  MODULE_NOT_FOUND: "Imports are resolved from the module's own folder: keep it inside the project.",
};

/**
 * Imports a flow module. TypeScript is run by Node itself, from 22.18 on, or by the `tsx` of the module's own project.
 *
 * @param path absolute
 * @throws FlowModuleError
 */
export function importFlowModule(path: string): Promise<FlowModule> {
  const known = imported.get(path);
  if (known !== undefined) return known;
  const module = importAnew(path);
  imported.set(path, module);
  return module;
}

/** A module is imported twice, for its options and for its flow. */
const imported = new Map<string, Promise<FlowModule>>();

async function importAnew(path: string): Promise<FlowModule> {
  const url = pathToFileURL(path).href;
  try {
    try {
      return await importUnchecked(url);
    } catch (error) {
      if (!TYPESCRIPT.test(path) || !NEEDS_TSX.has(codeOf(error)) || !(await registerTsx(path))) throw error;
      // Node keeps the failure under the first address.
      return await importUnchecked(`${url}?tsx`);
    }
  } catch (cause) {
    const remedy = REMEDIES[codeOf(cause)];
    const wrong = await syntaxErrorPlace(cause, path);
    const why =
      wrong === undefined ? `${messageOf(cause)}${atPlace(cause)}` : `${wrong.message} at ${wrong.place}`;
    throw new FlowModuleError(
      `${path} cannot be loaded: ${why}${remedy === undefined ? "" : `. ${remedy}`}`,
      { cause },
    );
  }
}

/** Where an error was thrown, to follow its message. */
export function atPlace(cause: unknown): string {
  const place = thrownAt(cause);
  return place === undefined ? "" : `; thrown at ${place}`;
}

/**
 * Registers `tsx` for modules of both kinds: without `"type": "module"` a package's TypeScript is CommonJS.
 *
 * @returns whether the project that the file is in has `tsx`
 */
async function registerTsx(path: string): Promise<boolean> {
  const { resolve } = createRequire(path);
  try {
    for (const api of ["tsx/cjs/api", "tsx/esm/api"]) {
      // Only its ES modules can register themselves on Node 20, and require finds the other ones.
      const { register } = (await import(
        pathToFileURL(resolve(api).replace(/\.cjs$/, ".mjs")).href
      )) as TsxApi;
      register();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "MODULE_NOT_FOUND") return false;
    throw error;
  }
}

interface TsxApi {
  readonly register: () => unknown;
}

async function importUnchecked(url: string): Promise<FlowModule> {
  // The caller checks what it exports.
  const module = (await import(url)) as FlowModule;
  return isCompiled(module.default) ? module.default : module;
}

/** Whether these are the exports, the default one among them, of a module that was compiled to CommonJS. */
function isCompiled(exported: unknown): exported is FlowModule {
  return typeof exported === "object" && exported !== null && "__esModule" in exported;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
