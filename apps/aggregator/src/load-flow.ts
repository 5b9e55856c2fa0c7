import { pathToFileURL } from "node:url";
import { CallbackSink, hasCode, isDataflow, IterableSource, messageOf, thrownAt } from "@millrace/dataflow";
import type { Dataflow } from "@millrace/dataflow";
import type { FlowChoice } from "./flow-choice.ts";
import { FlowModuleError } from "./flow-choice.ts";
import type { FlowParts } from "./flows/flow-parts.ts";
import { FLOWS } from "./flows/flows.ts";
import { syntaxErrorPlace } from "./syntax-error-place.ts";
import { systemTime } from "@millrace/windowing";
import { DEFAULT_FLOW_SHAPE } from "./flow-options.ts";
import type { FlowShape } from "./flow-options.ts";

/** What to do about the commonest reasons for which Node cannot import a file, by the code of its error. */
const REMEDIES: Readonly<Record<string, string>> = {
  ERR_UNKNOWN_FILE_EXTENSION:
    "This Node does not run TypeScript: start the aggregator from its source (npx nx run aggregator:serve), " +
    "or compile the flow to JavaScript.",
  ERR_MODULE_NOT_FOUND: "Imports are resolved from the module's own folder: keep it inside the project.",
  MODULE_NOT_FOUND: "Imports are resolved from the module's own folder: keep it inside the project.",
};

/**
 * Builds the chosen flow.
 *
 * A module exports its flow as default, or under the name `flow`: a `Dataflow`, or a function, async or not, that
 * makes one from the parts that the aggregator's own flows get.
 *
 * @throws FlowModuleError for a module that cannot be loaded, that exports no flow, or whose function throws; FlowError
 *   for a flow that it builds wrongly
 */
export async function loadFlow(choice: FlowChoice, parts: FlowParts): Promise<Dataflow> {
  if (choice.kind === "built-in") return FLOWS[choice.name](parts);
  const { path } = choice;
  const { default: byDefault, flow: byName } = await importModule(path);
  const exported: unknown = byDefault ?? byName;
  if (exported === undefined) {
    throw new FlowModuleError(`${path} exports no flow. Export it as default, or under the name flow.`);
  }
  const flow = isFunction(exported) ? await callModule(path, exported, parts) : exported;
  if (isDataflow(flow)) return flow;
  const what = isFunction(exported) ? "its function returns something else" : "its export is something else";
  throw new FlowModuleError(
    `${path} exports no flow: ${what}. Export a Dataflow of @millrace/dataflow, or a function that returns one.`,
  );
}

async function callModule(
  path: string,
  exported: (parts: FlowParts) => unknown,
  parts: FlowParts,
): Promise<unknown> {
  try {
    return await exported(parts);
  } catch (cause) {
    // An error of Millrace's own names the flow, the step and the remedy already.
    if (hasCode(cause)) throw cause;
    throw new FlowModuleError(`${path}: its function threw: ${messageOf(cause)}${atPlace(cause)}`, { cause });
  }
}

function isFunction(value: unknown): value is (parts: FlowParts) => unknown {
  return typeof value === "function";
}

interface FlowModule {
  readonly default?: unknown;
  readonly flow?: unknown;
}

async function importModule(path: string): Promise<FlowModule> {
  try {
    // The caller checks what it exports.
    return (await import(pathToFileURL(path).href)) as FlowModule;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const remedy = REMEDIES[code];
    const wrong = await syntaxErrorPlace(cause, path);
    const why =
      wrong === undefined ? `${messageOf(cause)}${atPlace(cause)}` : `${wrong.message} at ${wrong.place}`;
    throw new FlowModuleError(
      `${path} cannot be loaded: ${why}${remedy === undefined ? "" : `. ${remedy}`}`,
      { cause },
    );
  }
}

function atPlace(cause: unknown): string {
  const place = thrownAt(cause);
  return place === undefined ? "" : `; thrown at ${place}`;
}

/**
 * The chosen flow between nothing and nowhere: to look at, not to run.
 *
 * @throws FlowModuleError, FlowError
 */
export function outlineOf(choice: FlowChoice, shape: FlowShape = DEFAULT_FLOW_SHAPE): Promise<Dataflow> {
  const { windower, clock, windowing, lateFile } = shape;
  const nowhere = new CallbackSink<unknown>(() => undefined);
  return loadFlow(choice, {
    source: new IterableSource([]),
    windower,
    clock: clock ?? systemTime(),
    windowing,
    results: nowhere,
    out: nowhere,
    ...(lateFile === undefined ? {} : { late: nowhere }),
  });
}
