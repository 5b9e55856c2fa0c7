import { hasCode, isDataflow, messageOf } from "@millrace/dataflow";
import type { Dataflow } from "@millrace/dataflow";
import type { FlowChoice } from "./flow-choice.ts";
import { FlowModuleError } from "./flow-module-error.ts";
import type { FlowParts } from "./flow-parts.ts";
import { atPlace, importFlowModule } from "./import-flow-module.ts";

/**
 * Builds the chosen flow.
 *
 * Of a module its default export counts, else the one named `flow`: a `Dataflow`, or a function, async or not, that
 * makes one of the parts.
 *
 * @throws FlowModuleError for a module that cannot be loaded, that exports no flow, or whose function throws; FlowError
 *   for a flow that it builds wrongly
 */
export async function loadFlow(choice: FlowChoice, parts: FlowParts): Promise<Dataflow> {
  if (choice.kind === "built-in") return choice.flow.build(parts);
  const { path } = choice;
  const { default: byDefault, flow: byName } = await importFlowModule(path);
  const exported: unknown = byDefault ?? byName;
  if (exported === undefined) {
    throw new FlowModuleError(`${path} exports no flow. Export it as default, or under the name flow.`);
  }
  const flow = isFunction(exported) ? await callModule(path, exported, parts) : exported;
  if (isDataflow(flow)) return flow;
  const what = isFunction(exported) ? "the function that it exports returns none" : "what it exports is none";
  throw new FlowModuleError(
    `${path} exports no flow: ${what}. Give a Dataflow of millrace, or a function that makes one.`,
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
    // What Millrace itself refuses names the flow, the step and the remedy.
    if (hasCode(cause)) throw cause;
    throw new FlowModuleError(
      `${path}: the function that it exports threw: ${messageOf(cause)}${atPlace(cause)}`,
      { cause },
    );
  }
}

function isFunction(value: unknown): value is (parts: FlowParts) => unknown {
  return typeof value === "function";
}
