import { CallbackSink, IterableSource, hasCode, isDataflow, messageOf } from "@millrace/dataflow";
import type { Dataflow } from "@millrace/dataflow";
import type { FlowChoice } from "./flow-choice.ts";
import { FlowModuleError } from "./flow-module-error.ts";
import type { FlowParts } from "./flow-parts.ts";
import { systemTime } from "@millrace/windowing";
import { DEFAULT_FLOW_SHAPE } from "../options/flow-options.ts";
import type { FlowShape } from "../options/flow-options.ts";
import type { SourceOfLines } from "../running/local-lines.ts";
import { atPlace, importFlowModule } from "./import-flow-module.ts";

/**
 * Builds the chosen flow.
 *
 * A module exports its flow as default, or under the name `flow`: a `Dataflow`, or a function, async or not, that
 * makes one from the parts.
 *
 * @throws FlowModuleError for a module that cannot be loaded, that exports no flow, or whose function throws; FlowError
 *   for a flow that it builds wrongly
 */
export async function loadFlow(choice: FlowChoice, parts: FlowParts): Promise<Dataflow> {
  if (choice.kind === "built-in") return choice.flow.build(parts);
  const { path } = choice;
  const { default: byDefault, flow: byName, options } = await importFlowModule(path);
  if (options !== undefined && choice.options === undefined) {
    throw new FlowModuleError(
      `${path} declares options of its own, which this program does not read. Run it with: npx millrace run ${path}`,
    );
  }
  const exported: unknown = byDefault ?? byName;
  if (exported === undefined) {
    throw new FlowModuleError(`${path} exports no flow. Export it as default, or under the name flow.`);
  }
  const flow = isFunction(exported) ? await callModule(path, exported, parts) : exported;
  if (isDataflow(flow)) return flow;
  const what = isFunction(exported) ? "its function returns something else" : "its export is something else";
  throw new FlowModuleError(
    `${path} exports no flow: ${what}. Export a Dataflow of millrace, or a function that returns one.`,
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

/**
 * The chosen flow with sinks that ignore their rows, so that it can be described or compared.
 *
 * @param source what it would read; by default nothing
 * @throws FlowModuleError, FlowError
 */
export function outlineOf(
  choice: FlowChoice,
  shape: FlowShape = DEFAULT_FLOW_SHAPE,
  source?: SourceOfLines,
): Promise<Dataflow> {
  const { windower, clock, windowing, lateFile } = shape;
  const ignored = new CallbackSink<unknown>(() => undefined);
  return loadFlow(choice, {
    source: source ?? new IterableSource([]),
    sourceWithOrigin: source?.withOrigin() ?? new IterableSource([]),
    windower,
    clock: clock ?? systemTime(),
    windowing,
    results: ignored,
    out: ignored,
    options: choice.kind === "module" ? (choice.options ?? {}) : {},
    ...(lateFile === undefined ? {} : { late: ignored }),
  });
}
